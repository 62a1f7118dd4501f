import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RedisClient } from '@openclaw/redis-client';
import { waitFor } from '@openclaw/test-support';
import { createPresence, type PresenceTracker, type PresenceTrackerOptions } from '../index.ts';
import { createRedisBench } from '../testing/redis-bench.ts';

const here = (agentId: string) => ({ agentId, sessionId: `${agentId}-1` });
const channelIds = Array.from({ length: 50 }, (_, n) => `c${n}`);

const bench = createRedisBench('test');
let redis: RedisClient;
let told: string[];
let wiped: string[];
beforeEach(async () => {
  redis = await bench.connect();
  told = [];
  wiped = [];
});

/** One agent, named like its hub, is in all channels. */
async function startHub(hubId: string, options: PresenceTrackerOptions = {}) {
  const presence = createPresence({ redis, keys: bench.keys }, { hubId, ...options });
  presence.onWiped(() => wiped.push(hubId));
  bench.defer(() => presence.close());
  await Promise.all(channelIds.map((channelId) => presence.track(channelId, here(hubId))));
  presence.onChange((channelId, { agentId, status }) =>
    told.push(`${agentId} ${status} in ${channelId}`),
  );
  return presence;
}
const agentsOf = async (presence: PresenceTracker, channelId: string) =>
  (await presence.list(channelId)).presences.map(({ agentId }) => agentId);

describe('a Redis that loses its data under intact connections', () => {
  // The race: Redis is wiped between two heartbeats, and another hub writes the same rosters first. Negative control: a
  // hub that does not check for a wipe.
  it('writes all leases again soon after FLUSHALL, and announces nothing', async () => {
    const hub = await startHub('hub');
    await startHub('control', { reapMs: 60_000 });
    await startHub('hasty', { reapMs: 5 });
    told = [];
    const tookMs: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      await redis.send(['flushall']);
      const wipedMs = performance.now();
      expect(await agentsOf(hub, 'c0')).not.toContain('hub');
      await waitFor(async () => {
        const lists = await Promise.all(channelIds.map((channelId) => agentsOf(hub, channelId)));
        return lists.every((agentIds) => agentIds.includes('hub'));
      });
      tookMs.push(performance.now() - wipedMs);
    }
    // The median, because the machine may stall once.
    expect(tookMs.sort((a, b) => a - b)[1]).toBeLessThan(1_000);
    expect(await agentsOf(hub, 'c0')).toEqual(['hasty', 'hub']);
    await hub.track('last', here('hub'));
    expect(told).toEqual(['hub online in last']);
  });

  it('writes a single evicted roster again', async () => {
    const hub = await startHub('hub');
    await redis.send(['del', bench.keys.roster('c49'), bench.keys.rosterAgents('c49')]);
    // Each half second the hub looks at only twenty of its fifty channels, so the third look may be needed.
    await waitFor(async () => (await agentsOf(hub, 'c49')).length > 0, { timeoutMs: 3_000 });
    expect(told).toEqual([]);
    // The agent's state was not lost, so this is no wipe.
    expect(wiped).toEqual([]);
  });

  // The race: the heartbeat restores the lost leases before the look at the channels. Invariant: the wipe is reported
  // once.
  it.each([
    { finds: 'the look', options: { reapMs: 20 } },
    { finds: 'the heartbeat', options: { reapMs: 60_000, heartbeatMs: 50 } },
  ])('reports a wipe once: $finds', async ({ options }) => {
    await startHub('hub', options);
    expect(wiped).toEqual([]);
    for (const round of [1, 2]) {
      await redis.send(['flushall']);
      await waitFor(() => wiped.length >= round);
      await waitFor(async () => (await redis.send(['zcard', bench.keys.roster('c49')])) === 1);
    }
    expect(wiped).toEqual(['hub', 'hub']);
  });
});
