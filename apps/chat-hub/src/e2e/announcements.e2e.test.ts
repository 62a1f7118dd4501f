import { describe, expect, it } from '@jest/globals';
import { connectRpc, type RpcSocket } from '@openclaw/test-support';
import { mintFor } from '../testing/mint.ts';
import { noRedis, startTestHub } from '../testing/test-hub.ts';
import { startTwoHubs } from '../testing/two-hubs.ts';

const { hubA, hubB } = await startTwoHubs();

const isGlobal = ({ channelId }: { channelId: string | null }) => channelId === null;
const announced = ({ events }: RpcSocket) =>
  events
    .filter(isGlobal)
    .map(({ event, senderId, seq }) => [event.name, event.payload, senderId, seq]);
const announcement = (channelId: string, change: string) => [
  ...['hub.channel', { channelId, name: `The ${channelId}`, change }, 'ana', null],
];
const create = (socket: RpcSocket, channelId: string, more = {}) =>
  socket.call('channel.create', { channelId, name: `The ${channelId}`, ...more });
/** Announcements of one hub keep their order, so the earlier ones have then arrived too. */
const untilAnnounced = (socket: RpcSocket, channelId: string) =>
  socket.event((envelope) => isGlobal(envelope) && envelope.event.payload.channelId === channelId);

describe('a public channel', () => {
  it('is announced once to every connection of every hub when it is created, archived and deleted', async () => {
    await using ana = await hubA.connect('ana');
    await using near = await hubA.connect('near');
    await using far = await hubB.connect('far');
    await create(ana, 'open');
    await ana.call('channel.archive', { channelId: 'open' });
    await ana.call('channel.archive', { channelId: 'open' });
    await ana.call('channel.delete', { channelId: 'open' });
    await create(ana, 'closed', { kind: 'private' });
    await ana.call('channel.delete', { channelId: 'closed' });
    await ana.call('direct.send', { agentId: 'far', content: 'hi' });
    await expect(create(ana, 'open')).rejects.toMatchObject({ code: 'conflict' });
    await hubA.request('ana', 'POST', '/v1/channels', { channelId: 'last', name: 'The last' });
    for (const socket of [ana, near, far]) {
      await untilAnnounced(socket, 'last');
      expect(announced(socket)).toEqual([
        announcement('open', 'created'),
        announcement('open', 'archived'),
        announcement('open', 'deleted'),
        announcement('last', 'created'),
      ]);
    }
  });

  it('is announced to a connection whose token is bounded only if it is among its channels', async () => {
    const secret = 'a-secret-for-tests-of-more-than-32-characters';
    const auth = { HUB_HOST: '127.0.0.1', HUB_AUTH: 'jwt', HUB_JWT_SECRET: secret };
    await using hub = await startTestHub({ ...noRedis, ...auth });
    const connect = async (sub: string, channels?: string[]) => {
      const { token } = await mintFor(secret, {
        ...{ sub, ttlSeconds: 60 },
        ...(channels && { channels }),
      });
      return connectRpc(hub.wsUrl, { protocols: ['openclaw.v1', `bearer.${token}`] });
    };
    await using ana = await connect('ana');
    await using bounded = await connect('bounded', ['mine']);
    await using without = await connect('without', []);
    for (const channelId of ['other', 'mine', 'end']) await create(ana, channelId);
    await untilAnnounced(ana, 'end');
    await untilAnnounced(bounded, 'mine');
    expect(announced(ana)).toHaveLength(3);
    expect(announced(bounded)).toEqual([announcement('mine', 'created')]);
    await without.call('ping');
    expect(announced(without)).toEqual([]);
  });

  it.each(['hub.channel', 'hub.x', 'turn.state', 'message.delta', 'ask.done'])(
    'cannot be announced by an agent, and no event of the hub forged: %s',
    async (name) => {
      await using root = await hubA.connect('root', { query: '&role=admin' });
      await create(root, `forged-${name}`);
      for (const channelId of [null, `forged-${name}`]) {
        await expect(
          root.call('collaboration.emit', { channelId, name, payload: {} }),
        ).rejects.toMatchObject({ code: 'forbidden' });
      }
      const own = { channelId: `forged-${name}`, name: `my ${name}`, payload: {} };
      expect(await root.call('collaboration.emit', own)).toMatchObject({ seq: 2 });
    },
  );
});
