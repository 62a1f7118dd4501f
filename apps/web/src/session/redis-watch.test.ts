import { afterEach, describe, expect, it } from '@jest/globals';
import type { HubClient } from '@openclaw/client';
import { createRedisWatch } from './redis-watch.ts';

const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

function watchOf(usesRedis: boolean | null) {
  const hub = { degraded: false, asked: 0 };
  const client = {
    state: 'live',
    channel: () => ({ typing: async () => ({ agents: [], degraded: hub.degraded }) }),
  } as unknown as HubClient;
  const watch = createRedisWatch(
    client,
    () => 'c',
    async () => {
      hub.asked += 1;
      return usesRedis;
    },
  );
  ends.push(watch.close);
  const isAway = async (degraded: boolean) => {
    hub.degraded = degraded;
    await watch.check();
    return watch.isAway.value;
  };
  return { hub, isAway };
}

describe('the watch of the hub’s Redis', () => {
  it('reports a loss where a proxy hides /readyz, and its end', async () => {
    const { hub, isAway } = watchOf(null);
    expect([await isAway(false), await isAway(true), await isAway(false)]).toEqual([
      false,
      true,
      false,
    ]);
    expect(hub.asked).toBe(0);
  });

  it('reports a Redis that was away at sign-in, and not one that was never configured', async () => {
    expect(await watchOf(true).isAway(true)).toBe(true);
    expect(await watchOf(false).isAway(true)).toBe(false);
  });

  it('asks a hidden /readyz once', async () => {
    const { hub, isAway } = watchOf(null);
    expect([await isAway(true), await isAway(true)]).toEqual([false, false]);
    expect(hub.asked).toBe(1);
  });
});
