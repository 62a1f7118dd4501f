import { expect, it } from '@jest/globals';
import { operationsAgentSchema, operationsFleetSchema } from '@openclaw/protocol';
import { connectRpc, startHubPair, startRedis, waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';

const redis = closeAfterAll(await startRedis());
const pair = closeAfterAll(await startHubPair({ REDIS_URL: redis.url }));
const [hubA, hubB] = pair.hubs;

interface Listed {
  readonly agentId: string;
  readonly connections: number | null;
  readonly lastSeen: number | null;
}

async function read(path: string): Promise<unknown> {
  const response = await fetch(`${hubA.httpUrl}/v1/operations/fleet${path}?agent=eve`);
  return response.status === 200 ? response.json() : response.status;
}

// The reported failure: two bots on two hubs answered each other all night, and no page showed
// which bots they were.
it('the fleet shows what agents of all hubs do: whom they address, what was refused, their last words', async () => {
  await using ping = await connectRpc(`${hubA.url}/v1/ws?agent=ping`);
  await using pong = await connectRpc(`${hubB.url}/v1/ws?agent=pong`);
  await using person = await connectRpc(`${hubA.url}/v1/ws?agent=pia&kind=person`);
  await person.call('channel.create', { channelId: 'loop', name: 'Loop' });
  for (const bot of [ping, pong]) await bot.call('channel.join', { channelId: 'loop' });
  await pong.call('presence.set', { status: 'dnd', customStatus: 'answering' });
  const turn = { state: 'tool', label: 'Runs the tests', queueDepth: 3 };
  await pong.call('turn.set', { channelId: 'loop', ...turn });
  const say = (bot: typeof ping, other: string) =>
    bot.call('message.send', { channelId: 'loop', content: 'and you?', mentions: [other] });
  for (let n = 0; n < 4; n += 1) {
    await say(ping, 'pong');
    await say(pong, 'ping');
  }
  await ping.call('direct.send', { agentId: 'pong', content: 'a secret' });
  await expect(pong.call('channel.delete', { channelId: 'loop' })).rejects.toThrow();
  const fleet = await waitFor(
    async () => {
      const { agents } = operationsFleetSchema.strict().parse(await read(''));
      const found = ['ping', 'pong'].map((id) => agents.find(({ agentId }) => agentId === id));
      // Hubs report the activity of agents every five seconds.
      const [sent, answered] = found.map((one) => one?.activity);
      const isWhole =
        found.every((one) => one?.connections === 1) &&
        sent?.messagesPerMinute === 5 &&
        answered?.refusals === 1;
      return isWhole && { found, ids: agents.map(({ agentId }) => agentId) };
    },
    { what: 'both agents', timeoutMs: 20_000, everyMs: 200 },
  );
  expect(fleet.ids).not.toContain('pia');
  const isNow = (at: number | null | undefined) => Math.abs((at ?? 0) - Date.now()) < 120_000;
  expect(fleet.found).toMatchObject([
    {
      ...{ kind: 'agent', connection: { status: 'online' }, frozen: false, turn: null },
      activity: { messagesPerMinute: 5, addresses: [{ agentId: 'pong', perMinute: 5 }] },
    },
    {
      ...{ connection: { status: 'dnd', customStatus: 'answering' }, turn },
      activity: {
        ...{ messagesPerMinute: 4, addresses: [{ agentId: 'ping', perMinute: 4 }] },
        ...{ refusals: 1, lastRefusal: { code: 'forbidden' }, errors: 0 },
      },
    },
  ]);
  expect(isNow(fleet.found[0]?.activity?.lastMessageAt)).toBe(true);
  // The newest message is omitted, because it is a direct message.
  const { lastMessages } = operationsAgentSchema.strict().parse(await read('/ping'));
  expect(lastMessages).toMatchObject([{ channelId: 'loop', seq: expect.any(Number) }]);
  expect(await read('/nobody')).toBe(404);
  await using root = await connectRpc(`${hubA.url}/v1/ws?agent=root&kind=person&role=admin`);
  await root.call('agent.limit', { agentId: 'pong', message: '6/60' });
  await root.call('freeze', { scope: 'agent', id: 'ping', reason: 'it loops' });
  expect(await read('/pong')).toMatchObject({ agent: { limit: '6/60', frozen: false } });
  expect(await read('/ping')).toMatchObject({ agent: { limit: null, frozen: true } });
});

// The reported failure: an operator had to ask each hub for its own agents, and no hub showed all
// connected agents.
it('agent.list counts the connections to all hubs, also when one is killed', async () => {
  await using root = await connectRpc(`${hubA.url}/v1/ws?agent=root&role=admin`);
  await using here = await connectRpc(`${hubA.url}/v1/ws?agent=bot&kind=service`);
  const there = await Promise.all(
    [1, 2].map(() => connectRpc(`${hubB.url}/v1/ws?agent=bot&kind=service`)),
  );
  const list = async (caller: typeof root, params: object = {}) =>
    ((await caller.call('agent.list', params)) as { agents: Listed[] }).agents;
  const connectionsOf = async (agentId: string) =>
    (await list(root)).find((agent) => agent.agentId === agentId)?.connections;
  await waitFor(async () => (await connectionsOf('bot')) === 3, { what: 'three connections' });
  await waitFor(async () => (await connectionsOf('root')) === 1, { what: 'its own connection' });
  expect(await list(root, { kind: 'service' })).toEqual([
    { agentId: 'bot', kind: 'service', connections: 3, lastSeen: expect.any(Number) },
  ]);
  await here.call('channel.create', { channelId: 'own', name: 'Own' });
  expect(await list(here)).toEqual([
    { agentId: 'bot', kind: 'service', connections: null, lastSeen: null },
  ]);
  await hubB.kill();
  await Promise.all(there.map((socket) => socket.closed));
  await waitFor(async () => (await connectionsOf('bot')) === 1, {
    what: 'the connections of the killed hub to end',
    timeoutMs: 15_000,
  });
  const response = await fetch(`${hubA.httpUrl}/v1/audit?action=agent.list&agent=x&role=admin`);
  const { entries } = (await response.json()) as { entries: { actor: string }[] };
  expect(new Set(entries.map(({ actor }) => actor))).toEqual(new Set(['root']));
});
