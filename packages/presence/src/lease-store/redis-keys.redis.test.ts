import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RedisKey } from '@openclaw/key-schema';
import type { RedisClient, ScriptCall } from '@openclaw/redis-client';
import { createRedisLeaseStore, type PresenceState } from '../index.ts';
import { createRedisBench } from '../testing/redis-bench.ts';

const online: PresenceState = { status: 'online', customStatus: null, avatar: null };
const away: PresenceState = { status: 'away', customStatus: 'Reviewing PRs', avatar: '🤖' };
const lease = (agentId: string, sessionId = 's', hubId = 'h') => ({ agentId, hubId, sessionId });
const beat = (agentId: string, state = online, sessionId = 's') => ({
  channelId: 'c',
  lease: lease(agentId, sessionId),
  state,
});

const bench = createRedisBench('file');
let redis: RedisClient;
beforeEach(async () => {
  redis = await bench.connect();
});

const ttlMs = async (key: RedisKey) => Number(await redis.send(['pttl', key]));
const hash = async (agentId: string) => {
  const key = bench.keys.presence('c', agentId);
  const [names, values] = (await redis.pipeline([
    ['hkeys', key],
    ['hvals', key],
  ])) as [string[], string[]];
  return Object.fromEntries(names.map((name, at) => [name, values[at]]));
};
/** Includes calls inside scripts. */
const commandCalls = async () => {
  const info = String(await redis.send(['info', 'commandstats']));
  return new Map(
    [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name, calls]) => [
      name ?? '',
      Number(calls),
    ]),
  );
};

describe('presence keys', () => {
  const second = (expectedMs: number) => ({
    from: expectedMs - 1000,
    to: expectedMs,
  });
  const expectTtls = async (leaseMs: number, hashMs: number) => {
    const outliveMs = Math.max(leaseMs, 60_000);
    const expected: [RedisKey, { from: number; to: number }][] = [
      [bench.keys.presence('c', 'a'), second(hashMs)],
      [bench.keys.roster('c'), second(leaseMs + outliveMs)],
      [bench.keys.rosterAgents('c'), second(leaseMs + outliveMs)],
    ];
    for (const [key, { from, to }] of expected) {
      const ttl = await ttlMs(key);
      expect(ttl).toBeGreaterThan(from);
      expect(ttl).toBeLessThanOrEqual(to);
    }
  };

  it.each([
    { leaseMs: 300_000, hashMs: 300_000 },
    { leaseMs: 30_000, hashMs: 300_000 },
    { leaseMs: 600_000, hashMs: 600_000 },
  ])(
    'TTL expiry (presence): every key has its TTL after every call, lease $leaseMs ms',
    async ({ leaseMs, hashMs }) => {
      const presence = createRedisLeaseStore({ redis, keys: bench.keys }, { leaseMs });
      const shorten = () =>
        redis.pipeline(
          [bench.keys.presence('c', 'a'), bench.keys.roster('c'), bench.keys.rosterAgents('c')].map(
            (key) => ['persist', key] as const,
          ),
        );
      await presence.join('c', lease('a'), away);
      await expectTtls(leaseMs, hashMs);
      await shorten();
      await presence.join('c', lease('a'), away);
      await expectTtls(leaseMs, hashMs);
      await shorten();
      await presence.renew([beat('a', away)]);
      await expectTtls(leaseMs, hashMs);
      await redis.send(['persist', bench.keys.presence('c', 'a')]);
      await presence.update(['c'], 'a', away);
      await expectTtls(leaseMs, hashMs);
    },
  );

  it('have the names and values of the key schema', async () => {
    const presence = createRedisLeaseStore({ redis, keys: bench.keys });
    const before = Date.now();
    await presence.join('c', lease('a'), away);
    const { lastSeen, ...rest } = await hash('a');
    expect(rest).toEqual({ agentId: 'a', ...away });
    expect(Number(lastSeen)).toBeGreaterThanOrEqual(before);
    await presence.update(['c'], 'a', online);
    expect(await hash('a')).toEqual({
      agentId: 'a',
      status: 'online',
      lastSeen: expect.stringMatching(/^\d{13}$/),
    });
    const roster = await redis.send(['zrange', bench.keys.roster('c'), 0, -1, 'WITHSCORES']);
    expect(roster).toEqual(['a:h:s', String(Number(lastSeen) + 300_000)]);
    const agents = await redis.send(['zrange', bench.keys.rosterAgents('c'), 0, -1, 'WITHSCORES']);
    expect(agents).toEqual(['a h s', '0']);
  });

  it('are all deleted when the last agent has left or was reaped', async () => {
    let nowMs = 1_900_000_000_000;
    const presence = createRedisLeaseStore({ redis, keys: bench.keys }, { clock: () => nowMs });
    const left = () =>
      redis.send([
        'exists',
        ...[bench.keys.roster('c'), bench.keys.rosterAgents('c')],
        ...[bench.keys.presence('c', 'a'), bench.keys.presence('c', 'b')],
      ]);
    await presence.join('c', lease('a'), away);
    await presence.join('c', lease('b'));
    expect(await left()).toBe(4);
    await presence.leave('c', lease('a'));
    expect(await left()).toBe(3);
    nowMs += 300_000;
    await presence.reap(['c']);
    expect(await left()).toBe(0);
  });

  it('are never searched with KEYS or SCAN, and reads write none', async () => {
    const presence = createRedisLeaseStore({ redis, keys: bench.keys });
    await presence.join('c', lease('a'));
    await presence.renew([beat('a')]);
    await presence.update(['c'], 'a', away);
    const before = await commandCalls();
    await presence.get('c', 'a');
    await presence.get('c', 'nobody');
    await presence.list('c');
    await presence.list('empty');
    const after = await commandCalls();
    for (const write of ['zadd', 'zrem', 'hset', 'hdel', 'del', 'pexpire', 'set']) {
      expect([write, after.get(write)]).toEqual([write, before.get(write)]);
    }
    await presence.reap(['c']);
    await presence.leave('c', lease('a'));
    const names = [...(await commandCalls()).keys()];
    expect(names).toContain('zadd');
    expect(names.filter((name) => /^(keys|scan|hscan|sscan|zscan)$/.test(name))).toEqual([]);
  });
});

describe('data that Redis loses', () => {
  it('Presence data reconstruction: the next heartbeat repairs a wipe', async () => {
    const presence = createRedisLeaseStore({ redis, keys: bench.keys });
    const agentIds = Array.from({ length: 111 }, (_, n) => `agent-${String(n).padStart(3, '0')}`);
    await presence.joinMany(
      agentIds.map((agentId) => ({ channelId: 'c', lease: lease(agentId), state: away })),
    );
    await redis.send(['flushall']);
    expect((await presence.list('c')).count).toBe(0);

    await presence.renew(agentIds.map((agentId) => beat(agentId, away)));
    const { presences, count } = await presence.list('c', { limit: 200 });
    expect(count).toBe(111);
    expect(presences.map(({ agentId }) => agentId)).toEqual(agentIds);
    expect(presences.every(({ customStatus }) => customStatus === 'Reviewing PRs')).toBe(true);
    expect(await ttlMs(bench.keys.roster('c'))).toBeGreaterThan(599_000);
  });

  it('an evicted hash reads as plain online, and the next heartbeat writes it again', async () => {
    const presence = createRedisLeaseStore({ redis, keys: bench.keys });
    await presence.join('c', lease('a'), away);
    await redis.send(['del', bench.keys.presence('c', 'a')]);
    expect(await presence.get('c', 'a')).toMatchObject(online);
    expect(await presence.renew([beat('a', away)])).toEqual([]);
    expect(await presence.get('c', 'a')).toMatchObject(away);
  });

  it('an evicted index makes no agent go offline', async () => {
    const presence = createRedisLeaseStore({ redis, keys: bench.keys });
    await presence.join('c', lease('a', 's1'), away);
    await presence.join('c', lease('a', 's2'));
    await presence.join('c', lease('b'));
    await redis.send(['del', bench.keys.rosterAgents('c')]);
    expect(await presence.leave('c', lease('a', 's1'))).toBeNull();
    expect(await ttlMs(bench.keys.rosterAgents('c'))).toBeGreaterThan(599_000);
    expect(await presence.join('c', lease('a', 's3'))).toBeNull();
    expect((await presence.list('c')).presences).toMatchObject([
      { agentId: 'a', ...away },
      { agentId: 'b' },
    ]);
  });

  it('an evicted roster takes the index with it, and heartbeats write both', async () => {
    const presence = createRedisLeaseStore({ redis, keys: bench.keys });
    for (const agentId of ['a', 'b', 'x']) await presence.join('c', lease(agentId), away);
    await redis.send(['del', bench.keys.roster('c')]);
    expect((await presence.list('c')).presences).toEqual([]);
    await presence.renew([beat('a', away)]);
    await presence.renew([beat('b', away)]);
    expect((await presence.list('c')).presences).toMatchObject([
      { agentId: 'a' },
      { agentId: 'b' },
    ]);
    expect(await redis.send(['zcard', bench.keys.rosterAgents('c')])).toBe(2);
  });
});

describe('round trips', () => {
  it('a heartbeat of many leases is one pipeline, one script call per channel and fifty leases', async () => {
    const pipelines: number[][] = [];
    const counting = {
      run: (call: ScriptCall) => redis.run(call),
      pipeline: (calls: readonly ScriptCall[]) => {
        pipelines.push(calls.map((call) => call.keys.length - 2));
        return redis.pipeline(calls);
      },
    } as Pick<RedisClient, 'run' | 'pipeline'>;
    const presence = createRedisLeaseStore({ redis: counting, keys: bench.keys });
    const entries = Array.from({ length: 450 }, (_, n) => ({
      channelId: n < 250 ? 'big' : `c${n % 2}`,
      lease: lease(`a${n}`),
      state: online,
    }));
    await presence.renew(entries);
    expect(pipelines).toEqual([Array.from({ length: 9 }, () => 50)]);
    await presence.update(['big', 'c0', 'c1'], 'a0', away);
    expect(pipelines.slice(1)).toEqual([[1, 1, 1]]);
  });

  it('fails with `unavailable` and the cause when Redis refuses a call', async () => {
    await redis.send(['set', bench.keys.roster('c'), 'not a zset']);
    const presence = createRedisLeaseStore({ redis, keys: bench.keys });
    const unavailable = {
      name: 'PresenceError',
      code: 'unavailable',
      cause: expect.objectContaining({ message: expect.stringContaining('WRONGTYPE') }),
    };
    await expect(presence.join('c', lease('a'))).rejects.toMatchObject(unavailable);
    await expect(presence.leave('c', lease('a'))).rejects.toMatchObject(unavailable);
    await expect(presence.renew([beat('a')])).rejects.toMatchObject(unavailable);
    await expect(presence.update(['c'], 'a', away)).rejects.toMatchObject(unavailable);
    await expect(presence.get('c', 'a')).resolves.toBeNull();
    await expect(presence.list('c')).rejects.toMatchObject(unavailable);
    await expect(presence.reap(['c'])).rejects.toMatchObject(unavailable);
    const [failed, taken] = await presence.joinMany([
      { channelId: 'c', lease: lease('a') },
      { channelId: 'other', lease: lease('a') },
    ]);
    expect(failed).toMatchObject(unavailable);
    expect(taken).toMatchObject({ changed: true });
    expect(await presence.reap(['other', 'c'])).toEqual([]);
  });
});
