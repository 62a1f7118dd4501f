import { expect, it } from '@jest/globals';
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

// The reported failure: an operator asked each hub for its own agents, and saw at none of them who is connected at all.
it('agent.list counts the connections to all hubs, also when one is killed', async () => {
  await using root = await connectRpc(`${hubA.url}/v1/ws?agent=root&role=admin`);
  await using here = await connectRpc(`${hubA.url}/v1/ws?agent=bot`);
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
  // Others see the agents of their channels, without the figures.
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
