import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RedisClient, ScriptCall } from '@openclaw/redis-client';
import { waitFor } from '@openclaw/test-support';
import { createRedisLeaseStore, type LeaseStore, type PresenceState } from '../index.ts';
import { createRedisBench } from '../testing/redis-bench.ts';

const leaseMs = 30_000;
const online: PresenceState = { status: 'online', customStatus: null, avatar: null };
const lease = (agentId: string, hubId = 'hub-1', sessionId = 's') => ({
  agentId,
  hubId,
  sessionId,
});

const bench = createRedisBench('file');
let redis: RedisClient;
let nowMs: number;
const clock = () => nowMs;
beforeEach(async () => {
  redis = await bench.connect();
  nowMs = 1_900_000_000_000;
});

describe('reaping in real time', () => {
  it('TTL expiry (presence): two racing reapers report exactly one offline record within ±1 s of the end of the lease', async () => {
    const other = await bench.connect();
    const offline: { agentId: string; afterMs: number }[] = [];
    const startedMs = Date.now();
    const agentIds = Array.from({ length: 20 }, (_, n) => `a${n}`);
    const hubs = [redis, other].map((client) =>
      createRedisLeaseStore({ redis: client, keys: bench.keys }, { leaseMs: 1500 }),
    );
    await hubs[0]!.joinMany(agentIds.map((agentId) => ({ channelId: 'c', lease: lease(agentId) })));
    const timers = hubs.map((hub) =>
      setInterval(() => {
        void hub.reap(['c']).then((changes) => {
          for (const { record } of changes) {
            expect(record.status).toBe('offline');
            offline.push({ agentId: record.agentId, afterMs: Date.now() - startedMs });
          }
        });
      }, 50),
    );
    await waitFor(() => offline.length >= agentIds.length);
    // A second offline record would arrive before this round ends.
    const [again] = await Promise.all(hubs.map((hub) => hub.reap(['c'])));
    timers.forEach((timer) => clearInterval(timer));
    expect(again).toEqual([]);
    expect(offline.map(({ agentId }) => agentId).sort()).toEqual([...agentIds].sort());
    for (const { afterMs } of offline) {
      expect(afterMs).toBeGreaterThanOrEqual(1500 - 5);
      expect(afterMs).toBeLessThan(2500);
    }
    await other.close();
  });

  it('keeps an agent online through many leases as long as it is renewed', async () => {
    const presence = createRedisLeaseStore({ redis, keys: bench.keys }, { leaseMs: 300 });
    await presence.join('c', lease('a'));
    const endMs = Date.now() + 1500;
    await waitFor(async () => {
      await presence.renew([{ channelId: 'c', lease: lease('a'), state: online }]);
      expect(await presence.reap(['c'])).toEqual([]);
      expect(await presence.get('c', 'a')).toMatchObject({ status: 'online' });
      return Date.now() > endMs;
    });
  });
});

describe('reaping', () => {
  function counted(options: { hubId?: string; redislessHubs?: Hubs } = {}) {
    const sent: string[] = [];
    const counting = {
      run: (call: ScriptCall) => redis.run(call),
      pipeline: (calls: readonly ScriptCall[]) => {
        sent.push(...calls.map(({ args: [operation] }) => String(operation)));
        return redis.pipeline(calls);
      },
    } as Pick<RedisClient, 'run' | 'pipeline'>;
    const presence = createRedisLeaseStore(
      { redis: counting, keys: bench.keys },
      { leaseMs, clock, ...options },
    );
    return { presence, sent };
  }
  type Hubs = (hubIds: readonly string[]) => Promise<ReadonlySet<string>>;
  const agentsOf = async (presence: LeaseStore) =>
    (await presence.list('c')).presences.map(({ agentId }) => agentId);

  it('ends thousands of leases of one dead hub in one call', async () => {
    const { presence } = counted();
    const entries = Array.from({ length: 3000 }, (_, n) => ({
      channelId: 'c',
      lease: lease(`a${n}`),
    }));
    await presence.joinMany(entries);
    nowMs += leaseMs;
    const gone = await presence.reap(['c']);
    expect(new Set(gone.map(({ record }) => record.agentId)).size).toBe(3000);
    expect(gone).toHaveLength(3000);
  });

  it('does not look at a channel again before the first of its leases can end', async () => {
    const { presence, sent } = counted();
    await presence.join('c', lease('a'));
    sent.length = 0;
    await presence.reap(['c', 'empty']);
    expect(sent).toEqual(['expired', 'expired']);
    nowMs += leaseMs - 1;
    await presence.reap(['c', 'empty']);
    expect(sent).toHaveLength(2);
    nowMs += 1;
    expect(await presence.reap(['c', 'empty'])).toHaveLength(1);
  });

  it('keeps a lease that was renewed between the check and the end', async () => {
    const { presence: reaper } = counted({
      redislessHubs: async () => {
        await renewing.renew([{ channelId: 'c', lease: lease('a'), state: online }]);
        return new Set();
      },
    });
    const { presence: renewing } = counted();
    await renewing.join('c', lease('a'));
    nowMs += leaseMs;
    expect(await reaper.reap(['c'])).toEqual([]);
    expect(await agentsOf(reaper)).toEqual(['a']);
  });

  it('extends, and keeps listed, the leases of a living hub that is cut off from Redis', async () => {
    const asked: string[][] = [];
    let alive = new Set(['cut-off']);
    const { presence } = counted({
      hubId: 'hub-1',
      redislessHubs: (hubIds) => {
        asked.push([...hubIds]);
        return Promise.resolve(alive);
      },
    });
    await presence.join('c', lease('mine', 'hub-1'));
    await presence.join('c', lease('theirs', 'cut-off'));
    await presence.join('c', lease('ghost', 'dead'));
    for (let second = 0; second < 120; second += 1) {
      nowMs += 1000;
      await presence.renew([{ channelId: 'c', lease: lease('mine', 'hub-1'), state: online }]);
      const gone = await presence.reap(['c']);
      expect(gone.map(({ record }) => record.agentId)).toEqual(second === 29 ? ['ghost'] : []);
      expect(await agentsOf(presence)).toEqual(
        second < 29 ? ['ghost', 'mine', 'theirs'] : ['mine', 'theirs'],
      );
    }
    expect(asked.flat()).not.toContain('hub-1');
    expect(asked.length).toBeLessThan(40);

    alive = new Set();
    const diedMs = nowMs;
    let gone: string[] = [];
    while (gone.length === 0 && nowMs < diedMs + 2 * leaseMs) {
      nowMs += 1000;
      await presence.renew([{ channelId: 'c', lease: lease('mine', 'hub-1'), state: online }]);
      gone = (await presence.reap(['c'])).map(({ record }) => record.agentId);
    }
    expect(gone).toEqual(['theirs']);
    expect(nowMs - diedMs).toBeLessThanOrEqual(leaseMs);
  });

  it('reaps no lease of another hub while it is unknown whether that hub is alive', async () => {
    let askable = false;
    const { presence } = counted({
      hubId: 'hub-1',
      redislessHubs: () =>
        askable ? Promise.resolve(new Set<string>()) : Promise.reject(new Error('database away')),
    });
    await presence.join('c', lease('mine', 'hub-1'));
    await presence.join('c', lease('theirs', 'hub-2'));
    nowMs += leaseMs;
    expect(await presence.reap(['c'])).toMatchObject([{ record: { agentId: 'mine' } }]);
    nowMs += 1000;
    expect(await presence.reap(['c'])).toEqual([]);
    askable = true;
    expect(await presence.reap(['c'])).toMatchObject([{ record: { agentId: 'theirs' } }]);
  });

  it('does not report an agent offline at a leave while the hub of its other lease may be alive', async () => {
    const redislessHubs: Hubs = () => Promise.resolve(new Set(['hub-2']));
    const { presence } = counted({ hubId: 'hub-1', redislessHubs });
    await presence.join('c', lease('a', 'hub-2'));
    nowMs += leaseMs;
    expect(await presence.join('c', lease('a', 'hub-1'))).toBeNull();
    expect(await presence.leave('c', lease('a', 'hub-1'))).toBeNull();
    await presence.reap(['c']);
    expect(await agentsOf(presence)).toEqual(['a']);
    // Negative control: when only expiry decides, the same leave is reported.
    const { presence: alone } = counted();
    nowMs += leaseMs;
    await alone.join('c', lease('a', 'hub-1'));
    expect(await alone.leave('c', lease('a', 'hub-1'))).toMatchObject({ status: 'offline' });
  });

  it('extends with the TTL that a heartbeat would have written', async () => {
    const { presence } = counted({ redislessHubs: () => Promise.resolve(new Set(['hub-1'])) });
    await presence.join('c', lease('a'));
    await redis.send(['pexpire', bench.keys.presence('c', 'a'), 5000]);
    nowMs += leaseMs - 1000;
    await presence.reap(['c']);
    const [hashTtl, rosterTtl, agentsTtl] = (
      await redis.pipeline(
        [bench.keys.presence('c', 'a'), bench.keys.roster('c'), bench.keys.rosterAgents('c')].map(
          (key) => ['pttl', key] as const,
        ),
      )
    ).map(Number);
    expect(Math.abs(hashTtl! - 300_000)).toBeLessThan(1000);
    expect(Math.abs(rosterTtl! - 70_000)).toBeLessThan(1000);
    expect(Math.abs(agentsTtl! - 70_000)).toBeLessThan(1000);
  });
});
