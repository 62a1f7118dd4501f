import { describe, expect, it } from '@jest/globals';
import { waitFor, type RpcSocket } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { range, seqsOf } from '../testing/seqs.ts';
import { noRedis, startTestHub, type TestHub } from '../testing/test-hub.ts';
import { isMessage } from '../testing/messages.ts';
import { startTwoHubs } from '../testing/two-hubs.ts';

const { database, hubA, hubB } = await startTwoHubs({ HUB_LIMIT_MESSAGE: '1000000/60' });
const ana = closeAfterAll(await hubA.connect('ana'));

async function follower(hub: TestHub, agentId: string, channelId: string): Promise<RpcSocket> {
  await ana.call('channel.create', { channelId, name: channelId, kind: 'private' });
  await ana.call('member.add', { channelId, agentId });
  const socket = await hub.connect(agentId);
  await socket.call('subscribe', { topics: [{ channelId }] });
  return socket;
}

const live = (socket: RpcSocket, channelId: string) =>
  seqsOf(socket.events.filter((envelope) => envelope.channelId === channelId));

/**
 * Waits until the socket has everything that was sent to it before. A catch-up may still run after the first message,
 * so a second message is sent.
 */
async function flushed(socket: RpcSocket, agentId: string): Promise<void> {
  for (const content of ['bye', 'bye again']) {
    await ana.call('direct.send', { agentId, content });
    await socket.event(isMessage(content));
  }
}

describe('a removed member', () => {
  // The race: the leave event comes on two topics, the channel's and the agent's. After the first copy the agent is
  // no longer a subscriber.
  it('gets its leave once, as an event and not also as a notice, on every hub', async () => {
    for (const [hub, agentId] of [
      [hubA, 'near'],
      [hubB, 'far'],
    ] as const) {
      const channelId = `leave-of-${agentId}`;
      await using socket = await follower(hub, agentId, channelId);
      await ana.call('member.remove', { channelId, agentId });
      await flushed(socket, agentId);
      const received = socket.received
        .filter(({ params }) => params?.event?.type === 'channel.member.leave')
        .map(({ method }) => method);
      expect(received).toEqual(['event']);
    }
  });

  // The race: the socket lags while its agent is removed, and events follow before it reads.
  it('that lags gets everything up to its own leave, and nothing after', async () => {
    const channelId = 'lags';
    await using socket = await follower(hubA, 'slow', channelId);
    socket.ws.pause();
    const send = (count: number, contentBytes: number) =>
      Promise.all(
        range(1, count).map(() =>
          ana.call('message.send', { channelId, content: 'x'.repeat(contentBytes) }),
        ),
      );
    await waitFor(
      async () => {
        await send(40, 30_000);
        const metrics = await (await fetch(`${hubA.url}/metrics`)).text();
        return /hub_lagging_sockets_total [1-9]/.test(metrics);
      },
      { what: 'a lagging socket' },
    );
    await send(60, 30_000);
    await ana.call('member.remove', { channelId, agentId: 'slow' });
    const { head } = (await ana.call('channel.get', { channelId })).channel;
    await send(60, 30_000);
    socket.ws.resume();
    await flushed(socket, 'slow');
    const seqs = live(socket, channelId);
    expect(seqs).toEqual(range(3, head));
    expect(socket.events.find(({ seq }) => seq === head).event).toMatchObject({
      type: 'channel.member.leave',
      member: { agentId: 'slow' },
    });
  });
});

describe('without Redis', () => {
  // The race: the reader's hub has not received the removal yet. Invariant: the store decides rights, never a hub's
  // memory.
  it('a member removed through one hub is refused by the other at once', async () => {
    const environment = {
      HUB_DB_URL: database.url,
      LOG_LEVEL: 'error',
      REDIS_URL: noRedis.REDIS_URL,
    };
    await using hub = await startTestHub(environment);
    const channelId = 'refused';
    await using socket = await follower(hub, 'gil', channelId);
    await socket.call('log.read', { channelId, after: 0 });
    await socket.call('message.history', { channelId });
    await ana.call('member.remove', { channelId, agentId: 'gil' });
    await ana.call('message.send', { channelId, content: 'secret' });
    for (const [method, params] of [
      ['log.read', { after: 0 }],
      ['message.history', {}],
      ['typing.list', {}],
      ['presence.list', {}],
    ] as const) {
      await expect(socket.call(method, { channelId, ...params })).rejects.toMatchObject({
        code: 'not_found',
      });
    }
    const { topics } = await socket.call('subscribe', { topics: [{ channelId, since: 0 }] });
    expect(topics).toEqual([{ channelId, error: { code: 'not_found' } }]);
    await flushed(socket, 'gil');
    expect(socket.events.some(isMessage('secret'))).toBe(false);
  });
});
