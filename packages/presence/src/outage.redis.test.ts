import { beforeEach, describe, expect, it } from '@jest/globals';
import { RedisClientError, type RedisClient } from '@openclaw/redis-client';
import { waitFor } from '@openclaw/test-support';
import { createPresence, createRedisLeaseStore, type PresenceTrackerOptions } from './index.ts';
import { createRedisBench } from './testing/redis-bench.ts';

const online = { status: 'online', customStatus: null, avatar: null } as const;
const dnd = { status: 'dnd', customStatus: 'Deploying', avatar: null } as const;
const here = (agentId: string) => ({ agentId, sessionId: `${agentId}-1` });
const leaseMs = 1500;

const bench = createRedisBench('test');
let told: string[];
beforeEach(() => {
  told = [];
});

const ungated: typeof gated = (redis) => ({ redis, gate: { open() {}, close() {} } });

/** A client that a test can cut off from a running Redis. */
function gated(client: RedisClient) {
  let closed = false;
  const listeners: ((available: boolean) => void)[] = [];
  const away = () => Promise.reject(new RedisClientError('unavailable', 'gate closed'));
  const redis: RedisClient = {
    ...client,
    get available() {
      return !closed && client.available;
    },
    onAvailability(listener) {
      listeners.push(listener);
      return client.onAvailability((available) => {
        if (!closed) listener(available);
      });
    },
    run: (call) => (closed ? away() : client.run(call)),
    pipeline: (calls) => (closed ? away() : client.pipeline(calls)),
  };
  const move = (close: boolean) => {
    closed = close;
    for (const listener of listeners) listener(redis.available);
  };
  return { redis, gate: { open: () => move(false), close: () => move(true) } };
}

function startHub(hubId: string, wrap = ungated, options: PresenceTrackerOptions = {}) {
  const client = bench.open();
  const { redis, gate } = wrap(client);
  const presence = createPresence(
    { redis, keys: bench.keys },
    { hubId, leaseMs, heartbeatMs: 500, reapMs: 50, ...options },
  );
  bench.defer(() => presence.close());
  presence.onChange((channelId, { agentId, status }, { degraded }) => {
    told.push(`${hubId}${degraded ? ' degraded' : ''}: ${agentId} ${status} in ${channelId}`);
  });
  return { presence, redis, gate };
}
const heard = () => told.splice(0).sort();

describe('presence while Redis is away', () => {
  it('Redis connection lost (fallback to memory): continues with its own connections, and is degraded', async () => {
    const { presence, redis } = startHub('hub');
    await waitFor(() => redis.available);
    for (const agentId of ['a', 'b', 'c']) await presence.track('room', here(agentId));
    heard();
    await bench.server.kill();
    await waitFor(() => presence.degraded);

    expect(await presence.track('room', here('d'))).toMatchObject({ degraded: true });
    await presence.set(here('a'), dnd);
    // The agent may be connected to another hub, so its offline record waits.
    expect(await presence.untrack('room', here('c'))).toEqual({ degraded: true, record: null });
    expect(await presence.get('room', 'a')).toMatchObject({ degraded: true, presence: dnd });
    const page = await presence.list('room');
    expect(page).toMatchObject({ degraded: true, nextCursor: null, count: 3 });
    expect(page.presences.map(({ agentId }) => agentId)).toEqual(['a', 'b', 'd']);
    expect(heard()).toEqual(['hub degraded: a dnd in room', 'hub degraded: d online in room']);
    expect(presence.stats()).toEqual({ leases: 3, unsent: 0, toReplay: 3, degraded: true });
  });

  // The race: an agent is connected to two hubs, and leaves one of them while that hub has no Redis. Invariant: that
  // hub does not announce the agent offline. Negative control: an agent with one connection.
  it('announces no agent offline that may be on another hub, until Redis answers', async () => {
    const one = startHub('hub-1', gated);
    const two = startHub('hub-2');
    await waitFor(() => one.redis.available && two.redis.available);
    for (const agentId of ['both', 'gone']) await one.presence.track('room', here(agentId));
    await two.presence.track('room', { agentId: 'both', sessionId: 'both-2' });
    heard();
    one.gate.close();
    await one.presence.untrackAll(here('both'));
    await one.presence.untrackAll(here('gone'));
    one.gate.open();
    await waitFor(() => told.length > 0);
    expect(heard()).toEqual(['hub-1: gone offline in room']);
  });

  it('announces an agent offline without asking when Redis stays away for a lease', async () => {
    const { presence, redis } = startHub('hub');
    await waitFor(() => redis.available);
    await presence.track('room', here('a'));
    await bench.server.kill();
    await waitFor(() => presence.degraded);
    heard();
    const leftMs = performance.now();
    await presence.untrack('room', here('a'));
    await waitFor(() => told.length > 0);
    expect(heard()).toEqual(['hub degraded: a offline in room']);
    expect(performance.now() - leftMs).toBeGreaterThanOrEqual(leaseMs);
  });

  it('Redis reconnection recovery: writes its connections again within 2 s and announces what changed meanwhile', async () => {
    const { presence, redis } = startHub('hub');
    await waitFor(() => redis.available);
    for (const agentId of ['a', 'b', 'c']) await presence.track('room', here(agentId));
    await bench.server.kill();
    await waitFor(() => presence.degraded);
    await presence.track('room', here('d'));
    await presence.set(here('a'), dnd);
    await presence.untrack('room', here('c'));
    await presence.set(here('b'), dnd);
    await presence.set(here('b'), online);
    heard();

    await bench.server.restart();
    await waitFor(() => redis.available);
    const backMs = Date.now();
    await waitFor(async () => (await presence.list('room')).count === 3);
    expect(Date.now() - backMs).toBeLessThan(2000);
    expect(await presence.list('room')).toMatchObject({
      degraded: false,
      presences: [
        { agentId: 'a', ...dnd },
        { agentId: 'b', ...online },
        { agentId: 'd', ...online },
      ],
    });
    await waitFor(() => presence.stats().toReplay === 0);
    expect(heard()).toEqual([
      'hub: a dnd in room',
      'hub: b online in room',
      'hub: d online in room',
    ]);
    await waitFor(() => told.length > 0);
    expect(heard()).toEqual(['hub: c offline in room']);
  });

  it('announces agents that left meanwhile when Redis confirms that it was their last connection', async () => {
    // These leases outlast the outage. If they expired, the other hub could rightly announce `a` too.
    const long = { leaseMs: 60_000 };
    const [one, two] = [startHub('hub-1', ungated, long), startHub('hub-2', ungated, long)];
    await waitFor(() => one.redis.available && two.redis.available);
    await one.presence.track('room', here('a'));
    await one.presence.track('room', here('both'));
    await two.presence.track('room', { agentId: 'both', sessionId: 'both-2' });
    bench.server.freeze();
    await waitFor(() => one.presence.degraded && two.presence.degraded);
    await one.presence.untrack('room', here('a'));
    await one.presence.untrack('room', here('both'));
    heard();
    bench.server.thaw();
    await waitFor(() => told.length > 0);
    await waitFor(() => one.presence.stats().toReplay === 0);
    expect(heard()).toEqual(['hub-1: a offline in room']);
    expect((await one.presence.list('room')).presences).toMatchObject([{ agentId: 'both' }]);
  });

  // The race: all leases expire while Redis is frozen. Invariant: the first hub that reconnects does not report the
  // agents of other hubs as offline.
  it.each(['a hub, which waits one lease', 'the control, a reaper that does not wait'])(
    'announces no agent offline after Redis was frozen for longer than a lease: %s',
    async (first) => {
      const two = startHub('hub-2', gated);
      await waitFor(() => two.redis.available);
      await two.presence.track('room', here('b'));
      const one = startHub('hub-1');
      await waitFor(() => one.redis.available);
      await one.presence.track('room', here('a'));
      heard();
      const frozenMs = Date.now();
      two.gate.close();
      bench.server.freeze();
      await waitFor(() => Date.now() - frozenMs > leaseMs + 500);
      bench.server.thaw();
      await waitFor(() => one.redis.available);
      await waitFor(async () => (await one.presence.list('room')).presences[0]?.agentId === 'a');

      if (first.startsWith('the control')) {
        const hasty = createRedisLeaseStore({ redis: one.redis, keys: bench.keys }, { leaseMs });
        expect(await hasty.reap(['room'])).toMatchObject([{ record: { agentId: 'b' } }]);
        return;
      }
      two.gate.open();
      await waitFor(async () => (await one.presence.list('room')).count === 2);
      // After the pause, the reapers end the lease of a dead process.
      const ghost = createRedisLeaseStore({ redis: one.redis, keys: bench.keys }, { leaseMs: 100 });
      await ghost.join('room', { ...here('ghost'), hubId: 'elsewhere' });
      await waitFor(() => told.length > 0);
      expect(heard()).toEqual([expect.stringMatching(/^hub-[12]: ghost offline in room$/)]);
    },
  );

  it('remembers nothing of agents that came and went while Redis was never reachable', async () => {
    await bench.server.kill();
    const { presence } = startHub('hub');
    for (let n = 0; n < 300; n += 1) {
      await presence.track('room', here(`a${n}`));
      await presence.set(here(`a${n}`), dnd);
      expect(presence.stats()).toMatchObject({ leases: 1, toReplay: 2 });
      await presence.untrackAll(here(`a${n}`));
    }
    expect(presence.stats()).toEqual({ leases: 0, unsent: 0, toReplay: 0, degraded: true });
    expect(told).toHaveLength(900);
  });

  it.each([
    { knows: 'knows which hubs are alive', alive: ['hub-1', 'hub-2'] },
    { knows: 'relies on expiry alone, the control', alive: null },
  ])(
    'a hub that is cut off from Redis does not lose its agents to one that $knows',
    async ({ alive }) => {
      const redislessHubs = alive && (() => Promise.resolve(new Set(alive)));
      const one = startHub('hub-1', ungated, redislessHubs ? { redislessHubs } : {});
      const two = startHub('hub-2', gated);
      await waitFor(() => one.redis.available && two.redis.available);
      await one.presence.track('room', here('a'));
      await two.presence.track('room', here('b'));
      heard();
      two.gate.close();
      const cutMs = Date.now();
      const seen = new Set<string>();
      await waitFor(async () => {
        const { presences } = await one.presence.list('room');
        seen.add(presences.map(({ agentId }) => agentId).join());
        return Date.now() - cutMs > 2 * leaseMs;
      });
      if (alive) {
        expect(told).toEqual([]);
        expect([...seen]).toEqual(['a,b']);
      } else {
        expect(told).toEqual(['hub-1: b offline in room']);
      }
      two.gate.open();
      await waitFor(async () => (await one.presence.list('room')).count === 2);
      if (!alive) await waitFor(() => told.length === 2);
      expect(heard()).toEqual(alive ? [] : ['hub-1: b offline in room', 'hub-2: b online in room']);
    },
  );

  it('starts while Redis is not reachable yet', async () => {
    await bench.server.kill();
    const { presence, redis } = startHub('hub');
    expect(await presence.track('room', here('a'), dnd)).toMatchObject({ degraded: true });
    expect(heard()).toEqual(['hub degraded: a dnd in room']);
    await bench.server.restart();
    await waitFor(() => redis.available);
    await waitFor(() => told.length > 0);
    expect(heard()).toEqual(['hub: a dnd in room']);
    expect(await presence.get('room', 'a')).toMatchObject({ degraded: false, presence: dnd });
  });
});
