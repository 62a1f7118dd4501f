import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RedisClient } from '@openclaw/redis-client';
import { waitFor } from '@openclaw/test-support';
import { createPresence, createRedisLeaseStore, type PresenceTracker } from './index.ts';
import { createRedisBench } from './testing/redis-bench.ts';

const here = (agentId: string) => ({ agentId, sessionId: `${agentId}-1` });
const leaseMs = 1500;

const bench = createRedisBench('test');
let told: string[];
let hubs: Hub[];

interface Hub {
  readonly hubId: string;
  readonly presence: PresenceTracker;
  readonly redis: RedisClient;
  readonly degraded: boolean[];
}

beforeEach(async () => {
  await bench.server.command('ACL SETUSER app on >secret ~* &* +@all');
  told = [];
  hubs = [];
});

function startHub(hubId: string): Hub {
  const redis = bench.open({ url: `redis://app:secret@127.0.0.1:${bench.server.port}` });
  const presence = createPresence(
    { redis, keys: bench.keys },
    { hubId, leaseMs, heartbeatMs: 300, reapMs: 50, redislessHubs: async () => new Set(cutOff()) },
  );
  const cutOff = () => hubs.filter((one) => one.presence.degraded).map((one) => one.hubId);
  bench.defer(() => presence.close());
  presence.onChange((channelId, { agentId, status }) => {
    told.push(`${hubId}: ${agentId} ${status} in ${channelId}`);
  });
  const degraded: boolean[] = [];
  presence.onDegraded((isDegraded) => degraded.push(isDegraded));
  const hub = { hubId, presence, redis, degraded };
  hubs.push(hub);
  return hub;
}

const liveLeases = async () => {
  const [seconds = '0'] = /\d{9,}/.exec(await bench.server.command('TIME')) ?? [];
  const count = await bench.server.command(
    `ZCOUNT ${bench.keys.roster('room')} (${Number(seconds)}000 +inf`,
  );
  return Number(count.replace(':', ''));
};
const passed = (ms: number) => {
  const endMs = performance.now() + ms;
  return waitFor(() => performance.now() > endMs, { timeoutMs: ms + 5_000 });
};

describe('presence on a Redis that answers reads and refuses writes', () => {
  // The race: Redis answers reads, but no lease can be renewed. After `leaseMs`, every list that Redis returns is
  // empty.
  it.each([
    {
      how: 'its memory is full',
      begin: 'CONFIG SET maxmemory 1000000 maxmemory-policy noeviction',
      end: 'CONFIG SET maxmemory 0',
    },
    { how: 'a command is denied', begin: 'ACL SETUSER app -zadd', end: 'ACL SETUSER app +zadd' },
    {
      how: 'scripts are denied',
      begin: 'ACL SETUSER app -evalsha -eval',
      end: 'ACL SETUSER app +@all',
    },
    {
      how: 'too few replicas follow it',
      begin: 'CONFIG SET min-replicas-to-write 1',
      end: 'CONFIG SET min-replicas-to-write 0',
    },
  ])(
    'lists its own agents, is degraded, and announces no agent offline: $how',
    async ({ begin, end }) => {
      const [one, two] = [startHub('hub-1'), startHub('hub-2')];
      await waitFor(() => one.redis.available && two.redis.available);
      await one.presence.track('room', here('a'));
      await two.presence.track('room', here('b'));
      await one.presence.track('room', here('both'));
      await two.presence.track('room', { agentId: 'both', sessionId: 'both-2' });
      const dead = createRedisLeaseStore({ redis: one.redis, keys: bench.keys }, { leaseMs });
      await dead.join('room', { ...here('ghost'), hubId: 'dead-hub' });
      expect(await one.presence.list('room')).toMatchObject({ degraded: false, count: 5 });
      told.length = 0;

      await bench.server.command(begin);
      await waitFor(() => one.presence.degraded && two.presence.degraded, {
        what: 'both degraded',
      });
      const seen = new Set<string>();
      const untilMs = performance.now() + 2 * leaseMs;
      await waitFor(
        async () => {
          for (const { presence } of hubs) {
            const { presences, degraded } = await presence.list('room');
            seen.add(`${presences.map(({ agentId }) => agentId).join()} ${degraded}`);
          }
          return performance.now() > untilMs;
        },
        { timeoutMs: 20_000 },
      );
      expect(await liveLeases()).toBe(0);
      expect([...seen].sort()).toEqual(['a,both true', 'b,both true']);
      expect(await one.presence.get('room', 'a')).toMatchObject({
        ...{ degraded: true, presence: { agentId: 'a' } },
      });
      expect(await one.presence.track('room', here('c'))).toMatchObject({
        ...{ degraded: true, record: { agentId: 'c' } },
      });
      expect(told.splice(0)).toEqual(['hub-1: c online in room']);
      // The agent is still connected to the other hub, but its lease there has expired in Redis.
      await one.presence.untrack('room', here('both'));
      await passed(leaseMs / 2);
      expect(told).toEqual([]);

      const backMs = performance.now();
      await bench.server.command(end);
      await waitFor(() => !one.presence.degraded && !two.presence.degraded, { what: 'both well' });
      await waitFor(async () => (await one.presence.list('room')).count === 4);
      expect(await one.presence.list('room')).toMatchObject({
        degraded: false,
        presences: [{ agentId: 'a' }, { agentId: 'b' }, { agentId: 'both' }, { agentId: 'c' }],
      });
      await waitFor(() => told.some((line) => line.includes('ghost')), { timeoutMs: 10_000 });
      expect(performance.now() - backMs).toBeGreaterThanOrEqual(leaseMs);
      await passed(leaseMs);
      expect(told.filter((line) => line.includes('offline'))).toEqual([
        expect.stringMatching(/^hub-[12]: ghost offline in room$/),
      ]);
      expect([one.degraded, two.degraded]).toEqual([
        [false, true, false],
        [false, true, false],
      ]);
    },
  );
});
