import { expect, it } from '@jest/globals';
import type { Cache } from './cache.ts';
import type { CacheOptions } from './options.ts';

export type ValuesCache = Cache<{ readonly head: number }, object>;

export function createPausedLoad<T>() {
  const state = { starts: 0 };
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  let sawStart = () => {};
  const started = new Promise<void>((onStart) => (sawStart = onStart));
  const ended = new Promise<T>((onValue, onError) => ([resolve, reject] = [onValue, onError]));
  const load = () => {
    state.starts += 1;
    sawStart();
    return ended;
  };
  return { load, state, started, resolve, reject };
}

export function describeCachedValues(create: (options?: CacheOptions) => ValuesCache): void {
  const counted = <T>(value: T) => {
    const load = async () => {
      load.calls += 1;
      return value;
    };
    load.calls = 0;
    return load;
  };

  it('loads once, then answers from the cache', async () => {
    const cache = create();
    const load = counted({ degrees: 21 });
    expect(await cache.values.getOrSet('berlin', 60_000, load)).toEqual({ degrees: 21 });
    await cache.close();
    expect(await cache.values.getOrSet('berlin', 60_000, load)).toEqual({ degrees: 21 });
    expect(load.calls).toBe(1);
    expect(cache.values.stats).toMatchObject({ hits: 1, misses: 1, fills: 1, bypassed: 0 });
  });

  it('shares one load among the simultaneous callers of a process, and gives each an object of its own', async () => {
    const cache = create();
    const { load, state, resolve } = createPausedLoad<{ degrees: number }>();
    const reads = Array.from({ length: 20 }, () => cache.values.getOrSet('berlin', 60_000, load));
    resolve({ degrees: 21 });
    const read = await Promise.all(reads);
    expect(state.starts).toBe(1);
    expect(cache.values.stats).toMatchObject({ misses: 1, shared: 19 });
    read[0]!.degrees = 99;
    expect(read.slice(1)).toEqual(Array.from({ length: 19 }, () => ({ degrees: 21 })));
  });

  it('gives the value as JSON gives it back on the first call too', async () => {
    const cache = create();
    const load = counted({ at: new Date(0), no: undefined });
    const first = await cache.values.getOrSet('berlin', 60_000, load);
    await cache.close();
    expect(first).toEqual({ at: '1970-01-01T00:00:00.000Z' });
    expect(await cache.values.getOrSet('berlin', 60_000, load)).toEqual(first);
  });

  it('gives an error to the callers that share the load, and does not cache it', async () => {
    const cache = create();
    const { load, reject } = createPausedLoad<string>();
    const reads = [1, 2].map(() => cache.values.getOrSet('berlin', 60_000, load));
    reject(new Error('the source is down'));
    for (const read of reads) await expect(read).rejects.toThrow('the source is down');
    expect(await cache.values.getOrSet('berlin', 60_000, counted('sunny'))).toBe('sunny');
  });

  it('caches null, false, 0 and an empty text', async () => {
    const cache = create();
    for (const [name, value] of Object.entries({ a: null, b: false, c: 0, d: '' })) {
      const load = counted(value);
      await cache.values.getOrSet(name, 60_000, load);
      await cache.close();
      expect(await cache.values.getOrSet(name, 60_000, load)).toBe(value);
      expect(load.calls).toBe(1);
    }
  });

  it('returns a value that is too large, and does not cache it', async () => {
    const cache = create({ maxValueBytes: 100 });
    const fits = counted('ä'.repeat(49));
    const large = counted('ä'.repeat(50));
    for (let round = 0; round < 2; round += 1) {
      expect(await cache.values.getOrSet('fits', 60_000, fits)).toHaveLength(49);
      expect(await cache.values.getOrSet('large', 60_000, large)).toHaveLength(50);
      await cache.close();
    }
    expect([fits.calls, large.calls]).toEqual([1, 2]);
    expect(cache.values.stats).toMatchObject({ oversized: 1, fills: 1, bypassed: 1 });
  });

  it.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a bigint', 1n],
  ])('refuses %s, which is no JSON', async (_what, value) => {
    const cache = create();
    await expect(cache.values.getOrSet('berlin', 60_000, counted(value))).rejects.toMatchObject({
      name: 'CacheError',
      code: 'invalid_load',
    });
    expect(await cache.values.getOrSet('berlin', 60_000, counted('sunny'))).toBe('sunny');
  });

  it.each([0, -1, 0.5, NaN, Infinity, 30 * 24 * 3_600_000 + 1, undefined])(
    'refuses a TTL of %s, for values and for nulls',
    async (ttlMs) => {
      const cache = create();
      const load = counted('sunny');
      const bad = ttlMs as number;
      const refusal = { name: 'CacheError', code: 'invalid_argument' };
      await expect(cache.values.getOrSet('berlin', bad, load)).rejects.toMatchObject(refusal);
      if (ttlMs !== undefined) {
        const read = cache.values.getOrSet('berlin', 1000, load, { nullTtlMs: bad });
        await expect(read).rejects.toMatchObject(refusal);
      }
      expect(load.calls).toBe(0);
    },
  );

  it.each(['', 'a:b', 'a b', '{a}', 'x'.repeat(129)])(
    'refuses the name %j, which is no id of key-schema',
    async (name) => {
      const cache = create();
      const refusal = { name: 'KeySchemaError', code: 'invalid_id' };
      const read = cache.values.getOrSet(name, 1000, counted(1));
      await expect(read).rejects.toMatchObject(refusal);
      await expect(cache.values.delete(name)).rejects.toMatchObject(refusal);
    },
  );

  it('loads again after a deletion', async () => {
    const cache = create();
    await cache.values.getOrSet('berlin', 60_000, counted('sunny'));
    await cache.close();
    await cache.values.delete('berlin');
    expect(await cache.values.getOrSet('berlin', 60_000, counted('rain'))).toBe('rain');
  });

  it('does not cache what a load read before a deletion, and does not share that load afterwards', async () => {
    const cache = create();
    const { load, started, resolve } = createPausedLoad<string>();
    const before = cache.values.getOrSet('berlin', 60_000, load);
    await started;
    await cache.values.delete('berlin');
    const after = cache.values.getOrSet('berlin', 60_000, counted('rain'));
    expect(await after).toBe('rain');
    resolve('sunny');
    expect(await before).toBe('sunny');
    await cache.close();
    expect(await cache.values.getOrSet('berlin', 60_000, counted('snow'))).toBe('rain');
    expect(cache.values.stats).toMatchObject({ fills: 1, refusedFills: 1 });
  });

  it('ends a load that takes too long: its signal aborts, and the next caller loads', async () => {
    const cache = create({ loadTimeoutMs: 50 });
    let signal: AbortSignal | undefined;
    const hangs = (given: AbortSignal) => {
      signal = given;
      return new Promise<string>(() => {});
    };
    await expect(cache.values.getOrSet('berlin', 60_000, hangs)).rejects.toMatchObject({
      name: 'CacheError',
      code: 'load_timeout',
    });
    expect(signal!.aborted).toBe(true);
    expect(await cache.values.getOrSet('berlin', 60_000, counted('sunny'))).toBe('sunny');
  });

  it('refuses a load timeout that is longer than the lease may be', () => {
    expect(() => create({ loadTimeoutMs: 60_001 })).toThrow(
      expect.objectContaining({ code: 'invalid_options' }),
    );
  });
}
