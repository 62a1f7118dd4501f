import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisClient, type RedisClient } from '@openclaw/redis-client';
import { randomPrefix, type RedisServer, startRedis, waitFor } from '@openclaw/test-support';
import { createCache } from './cache.ts';
import {
  createPausedLoad,
  describeCachedValues,
  type ValuesCache,
} from './cached-values.contract.ts';
import type { CacheOptions } from './options.ts';

let server: RedisServer;
let redis: RedisClient;

beforeAll(async () => {
  server = await startRedis();
  redis = createRedisClient({ url: server.url });
  await waitFor(() => redis.available, { what: 'Redis' });
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});

function createProcesses(count: number, options?: CacheOptions) {
  const keys = createKeySchema({ prefix: randomPrefix() });
  const caches = Array.from({ length: count }, (): ValuesCache => {
    return createCache({ redis, keys }, options);
  });
  return { keys, caches };
}

describe('values in Redis', () => {
  describeCachedValues((options) =>
    createCache({ redis, keys: createKeySchema({ prefix: randomPrefix() }) }, options),
  );

  it('stores JSON under the name of the key schema, with the TTL of the caller', async () => {
    const { keys, caches } = createProcesses(1);
    const [cache] = caches as [ValuesCache];
    await cache.values.getOrSet('berlin', 20_000, async () => ({ degrees: 21 }));
    await cache.values.getOrSet('atlantis', 20_000, async () => null, { nullTtlMs: 5000 });
    await cache.close();
    expect(await redis.send(['GET', `${keys.prefix}cache:berlin`])).toBe('{"degrees":21}');
    for (const [name, ttlMs] of [
      ['berlin', 20_000],
      ['atlantis', 5000],
    ] as const) {
      const leftMs = Number(await redis.send(['PTTL', keys.cachedValue(name)]));
      expect(leftMs).toBeGreaterThan(ttlMs - 1000);
      expect(leftMs).toBeLessThanOrEqual(ttlMs);
      expect(await redis.send(['EXISTS', keys.cachedValueLease(name)])).toBe(0);
    }
  });

  it('lets one of many processes load, and the others wait for its value', async () => {
    const { caches } = createProcesses(10);
    const { load, state, started, resolve } = createPausedLoad<string>();
    const reads = caches.flatMap((cache) =>
      [1, 2].map(() => cache.values.getOrSet('berlin', 60_000, load)),
    );
    await started;
    resolve('sunny');
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['sunny']));
    expect(state.starts).toBe(1);
  });

  it('lets each process load while Redis is away', async () => {
    const away = createRedisClient({ host: '127.0.0.1', port: 1, connectTimeoutMs: 100 });
    try {
      await away.ready();
      let loads = 0;
      const load = async () => (loads += 1);
      const caches = [1, 2, 3].map((): ValuesCache => createCache({ redis: away }));
      for (const cache of caches) await cache.values.getOrSet('berlin', 60_000, load);
      expect(loads).toBe(3);
      expect(caches[0]!.values.stats).toMatchObject({ bypassed: 1, misses: 0, fills: 0 });
      await expect(caches[0]!.values.delete('berlin')).rejects.toMatchObject({
        code: 'unavailable',
      });
    } finally {
      await away.close();
    }
  });

  it('lets a waiting process load at once when the load of another one fails', async () => {
    const { caches } = createProcesses(2, { loadTimeoutMs: 30_000 });
    const [one, other] = caches as [ValuesCache, ValuesCache];
    const { load, started, reject } = createPausedLoad<string>();
    const failing = one.values.getOrSet('berlin', 60_000, load);
    await started;
    const waiting = other.values.getOrSet('berlin', 60_000, async () => 'rain');
    reject(new Error('the source is down'));
    await expect(failing).rejects.toThrow('the source is down');
    const beganAt = performance.now();
    expect(await waiting).toBe('rain');
    expect(performance.now() - beganAt).toBeLessThan(10_000);
  });

  it('lets another process load when the one that loads has died', async () => {
    const { keys, caches } = createProcesses(1, { loadTimeoutMs: 1000 });
    const [cache] = caches as [ValuesCache];
    // This lease belongs to a process that was killed during its load.
    await redis.send(['SET', keys.cachedValueLease('berlin'), 'dead', 'PX', 300]);
    expect(await cache.values.getOrSet('berlin', 60_000, async () => 'sunny')).toBe('sunny');
    expect(cache.values.stats).toMatchObject({ misses: 1, bypassed: 0 });
  });

  it('waits no longer than a load may take, then loads without a fill', async () => {
    const { keys, caches } = createProcesses(1, { loadTimeoutMs: 200 });
    const [cache] = caches as [ValuesCache];
    await redis.send(['SET', keys.cachedValueLease('berlin'), 'another', 'PX', 50_000]);
    expect(await cache.values.getOrSet('berlin', 60_000, async () => 'sunny')).toBe('sunny');
    expect(cache.values.stats).toMatchObject({ misses: 0, bypassed: 1 });
    await cache.close();
    expect(await redis.send(['EXISTS', keys.cachedValue('berlin')])).toBe(0);
  });

  it('refuses the fill of a load when another process deleted the value during it', async () => {
    const { caches } = createProcesses(2);
    const [one, other] = caches as [ValuesCache, ValuesCache];
    const { load, started, resolve } = createPausedLoad<string>();
    const before = one.values.getOrSet('berlin', 60_000, load);
    await started;
    await other.values.delete('berlin');
    resolve('outdated');
    expect(await before).toBe('outdated');
    await one.close();
    expect(one.values.stats.refusedFills).toBe(1);
    expect(await other.values.getOrSet('berlin', 60_000, async () => 'rain')).toBe('rain');
  });

  it('loads again and counts it when the stored value is corrupt or of another type', async () => {
    const { keys, caches } = createProcesses(1);
    const [cache] = caches as [ValuesCache];
    const read = () => cache.values.getOrSet('berlin', 60_000, async () => 'sunny');
    await redis.send(['SET', keys.cachedValue('berlin'), '{"cut']);
    expect(await read()).toBe('sunny');
    expect(cache.values.stats.corrupt).toBe(1);
    await redis.send(['DEL', keys.cachedValue('berlin')]);
    await redis.send(['HSET', keys.cachedValue('berlin'), 'a', 'b']);
    expect(await read()).toBe('sunny');
    await cache.close();
    expect(await redis.send(['GET', keys.cachedValue('berlin')])).toBe('"sunny"');
  });

  it('does not make callers wait for each other when the value is too large', async () => {
    const { keys, caches } = createProcesses(2, { maxValueBytes: 10 });
    const [one, other] = caches as [ValuesCache, ValuesCache];
    const large = async () => 'x'.repeat(100);
    await one.values.getOrSet('large', 3_600_000, large);
    await one.close();
    expect(await redis.send(['GET', keys.cachedValue('large')])).toBe('');
    expect(Number(await redis.send(['PTTL', keys.cachedValue('large')]))).toBeLessThanOrEqual(
      60_000,
    );
    expect(await other.values.getOrSet('large', 3_600_000, large)).toHaveLength(100);
    expect(other.values.stats).toMatchObject({ misses: 0, bypassed: 1 });
  });
});
