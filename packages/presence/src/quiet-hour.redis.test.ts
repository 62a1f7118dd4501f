import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RedisClient } from '@openclaw/redis-client';
import { waitFor } from '@openclaw/test-support';
import { createPresence, type PresenceTracker } from './index.ts';
import { createRedisBench } from './testing/redis-bench.ts';

const leaseMs = 30_000;
const stepMs = 10_000;

const bench = createRedisBench('file');
let nowMs: number;
let told: string[];
beforeEach(() => {
  nowMs = 1_900_000_000_000;
  told = [];
});

/** The test sets the hub's clock, but the hub's heartbeat runs in real time. */
async function startHub(hubId: string): Promise<{ presence: PresenceTracker; redis: RedisClient }> {
  const redis = await bench.connect();
  const presence = createPresence(
    { redis, keys: bench.keys },
    { ...{ hubId, leaseMs, heartbeatMs: 2, reapMs: 1 }, clock: () => nowMs },
  );
  bench.defer(() => presence.close());
  presence.onChange((_channelId, { agentId, status }) => told.push(`${agentId} ${status}`));
  return { presence, redis };
}

describe('an hour without any change', () => {
  // The fault of another hub (robin#47): a TTL set connected users to away.
  it('leaves every connected agent online, and makes an agent without a heartbeat offline after one lease', async () => {
    const [{ presence: watcher }, { presence: holder, redis }] = [
      await startHub('watcher'),
      await startHub('holder'),
    ];
    await watcher.track('c', { agentId: 'a', sessionId: 'a-1' });
    await holder.track('c', { agentId: 'b', sessionId: 'b-1' });
    const seenMs = async (agentId: string) =>
      (await watcher.get('c', agentId)).presence?.lastSeen ?? 0;
    for (const endMs = nowMs + 3_600_000; nowMs < endMs;) {
      nowMs += stepMs;
      const beat = async (agentId: string) => (await seenMs(agentId)) >= nowMs;
      await waitFor(async () => (await beat('a')) && (await beat('b')), { everyMs: 1 });
    }
    expect(told).toEqual(['a online', 'b online']);
    expect((await watcher.list('c')).count).toBe(2);

    // Negative control: without a heartbeat, the agent goes offline after one lease.
    await redis.close();
    for (let beats = 0; beats < 3; beats += 1) {
      expect(told).toEqual(['a online', 'b online']);
      nowMs += stepMs;
      await waitFor(async () => (await seenMs('a')) >= nowMs, { everyMs: 1 });
    }
    await waitFor(() => told.length > 2);
    expect(told).toEqual(['a online', 'b online', 'b offline']);
  });
});
