import { describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import { randomPrefix, startTcpProxy, waitFor } from '@openclaw/test-support';
import { createPresence, createRedisLeaseStore, type PresenceTrackerOptions } from './index.ts';
import { createRedisBench } from './testing/redis-bench.ts';

const leaseMs = 1500;
const bench = createRedisBench('file');

describe('a process that was killed', () => {
  /** Kills one hub while another watches. Resolves with a list that grows with each announcement of the watcher. */
  async function killedBeside(options: PresenceTrackerOptions): Promise<string[]> {
    const system = createKeySchema({ prefix: randomPrefix() });
    const [watching, dying] = [await bench.connect(), await bench.connect()];
    const start = (redis: RedisClient, hubId: string) => {
      const hub = { hubId, leaseMs, heartbeatMs: 500, reapMs: 50, ...options };
      const presence = createPresence({ redis, keys: system }, hub);
      bench.defer(() => presence.close());
      return presence;
    };
    const told: string[] = [];
    const watcher = start(watching, 'watcher');
    watcher.onChange((_channelId, { agentId, status }) => told.push(`${agentId} ${status}`));
    await watcher.track('c', { agentId: 'a', sessionId: 'a-1' });
    await start(dying, 'killed').track('c', { agentId: 'ghost', sessionId: 'g-1' });
    told.length = 0;
    await dying.close();
    return told;
  }

  // Redis notifies no client when a key expires, so a reaper must announce the agent offline.
  it('leaves agents online permanently, unless a reaper ends their leases', async () => {
    const reaped = await killedBeside({});
    const startMs = Date.now();
    const control = await killedBeside({ reapMs: 600_000 });
    await waitFor(() => reaped.length > 0);
    expect(reaped).toEqual(['ghost offline']);
    expect(Date.now() - startMs).toBeLessThanOrEqual(leaseMs + 1000);
    await waitFor(() => Date.now() - startMs > leaseMs + 1000);
    expect(control).toEqual([]);
  });
});

describe('the number of leases', () => {
  // The races: a leave is repeated because its reply was lost; a process dies before a leave. Presence counts the
  // leases that exist and stores no number, so the count stays right.
  it('does not drift when leaves are repeated or missing, as a counter does (the control)', async () => {
    const proxy = await startTcpProxy(bench.server.port);
    bench.defer(() => proxy.stop());
    const redis = await bench.connect({ host: '127.0.0.1', port: proxy.port });
    const presence = createRedisLeaseStore({ redis, keys: bench.keys }, { leaseMs });
    const counter = bench.keys.sequence('counter');
    const lease = (agentId: string) => ({ agentId, hubId: 'h', sessionId: 's' });
    const count = async () => (await presence.list('c')).count;
    const kept = async () => Number(await redis.send(['GET', counter]));
    for (const agentId of ['stays', 'leaves', 'dies']) {
      await presence.join('c', lease(agentId));
      await redis.send(['INCR', counter]);
    }
    expect([await count(), await kept()]).toEqual([3, 3]);

    const leaving = () =>
      Promise.allSettled([presence.leave('c', lease('leaves')), redis.send(['DECR', counter])]);
    proxy.stallReplies();
    const first = leaving();
    await waitFor(async () => (await bench.server.command(`GET ${counter}`)).endsWith('\n2'));
    proxy.cut();
    for (const { status } of await first) expect(status).toBe('rejected');
    proxy.resume();
    await waitFor(() => redis.available);
    await leaving();
    expect([await count(), await kept()]).toEqual([2, 1]);

    await waitFor(async () => {
      await presence.renew([
        {
          channelId: 'c',
          lease: lease('stays'),
          state: { status: 'online', customStatus: null, avatar: null },
        },
      ]);
      await presence.reap(['c']);
      return (await count()) === 1;
    });
    expect((await presence.list('c')).presences).toMatchObject([{ agentId: 'stays' }]);
  });
});
