import { beforeEach, describe, expect, it } from '@jest/globals';
import { startTcpLink, waitFor } from '@openclaw/test-support';
import { createPresence } from '../index.ts';
import { createRedisBench } from '../testing/redis-bench.ts';

const bench = createRedisBench('test');
let nowMs: number;
let told: string[];
beforeEach(() => {
  nowMs = 1_900_000_000_000;
  told = [];
});

async function startHub(hubId: string) {
  const link = await startTcpLink(bench.server.port);
  bench.defer(() => link.stop());
  const redis = bench.open({ url: `redis://127.0.0.1:${link.port}` });
  const presence = createPresence(
    { redis, keys: bench.keys },
    { ...{ hubId, leaseMs: 30_000, heartbeatMs: 100, reapMs: 20 }, clock: () => nowMs },
  );
  bench.defer(() => presence.close());
  // A degraded change reaches only the hub's own sockets, so it is not recorded here.
  presence.onChange((_channelId, { agentId, status }, { degraded }) => {
    if (!degraded) told.push(`${hubId}: ${agentId} ${status}`);
  });
  await waitFor(() => redis.available);
  return { presence, redis, link };
}
const here = (agentId: string, sessionId = `${agentId}-1`) => ({ agentId, sessionId });

/**
 * While both hubs lack Redis, two agents leave hub A, and one of these agents connects to hub B. Then hub A has Redis
 * again.
 */
async function moveWhileAway() {
  const [a, b] = [await startHub('a'), await startHub('b')];
  await a.presence.track('c', here('left'));
  await a.presence.track('c', here('moved'));
  for (const { link } of [a, b]) link.refuse();
  await waitFor(() => a.presence.degraded && b.presence.degraded);
  await a.presence.untrackAll(here('left'));
  await a.presence.untrackAll(here('moved'));
  await b.presence.track('c', here('moved', 'moved-2'));
  told = [];
  a.link.heal();
  await waitFor(() => a.redis.available);
  await waitFor(async () => (await a.presence.list('c')).count === 0);
  await waitFor(() => a.presence.stats().toReplay === 0);
  return { a, b };
}

describe('a replayed leave', () => {
  // The race: an agent moves from hub A to hub B while both lack Redis. Hub A reconnects first, when Redis has no lease
  // of hub B yet.
  it('does not report an agent offline that moved to a hub that reconnects within seconds', async () => {
    const { b } = await moveWhileAway();
    expect(told).toEqual([]);
    b.link.heal();
    await waitFor(() => told.length > 0);
    expect(told).toEqual(['b: moved online']);
    nowMs += 5_000;
    await waitFor(() => told.length > 1);
    await b.presence.track('c', here('later'));
    expect(told).toEqual(['b: moved online', 'a: left offline', 'b: later online']);
    expect((await b.presence.list('c')).presences).toMatchObject([
      { agentId: 'later' },
      { agentId: 'moved' },
    ]);
  });

  it('does not wait for a hub that stays away longer (the control)', async () => {
    const { b } = await moveWhileAway();
    nowMs += 5_000;
    await waitFor(() => told.length > 1);
    expect([...told].sort()).toEqual(['a: left offline', 'a: moved offline']);
    b.link.heal();
    await waitFor(() => told.length > 2);
    expect(told.at(-1)).toBe('b: moved online');
  });

  it('is announced before its hub closes, which cannot announce it later', async () => {
    const { a, b } = await moveWhileAway();
    b.link.heal();
    await waitFor(() => told.length > 0);
    await a.presence.close();
    expect(told).toEqual(['b: moved online', 'a: left offline']);
  });
});
