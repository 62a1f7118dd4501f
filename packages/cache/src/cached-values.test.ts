import { describe, expect, it } from '@jest/globals';
import { createMemoryCache } from './cache.ts';
import { describeCachedValues, type ValuesCache } from './cached-values.contract.ts';

describe('values in memory', () => {
  describeCachedValues((options) => createMemoryCache(options));

  it('keeps a value for its TTL, and null for a TTL of its own', async () => {
    let nowMs = 1_700_000_000_000;
    const cache: ValuesCache = createMemoryCache({ clock: () => nowMs });
    let loads = 0;
    const read = (name: string, value: unknown) =>
      cache.values.getOrSet(name, 5000, async () => ((loads += 1), value), { nullTtlMs: 1000 });
    const loadsAfter = async (ms: number) => {
      nowMs += ms;
      loads = 0;
      await read('there', 'sunny');
      await read('missing', null);
      await cache.close();
      return loads;
    };
    expect(await loadsAfter(0)).toBe(2);
    expect(await loadsAfter(999)).toBe(0);
    expect(await loadsAfter(1)).toBe(1);
    expect(await loadsAfter(3999)).toBe(1);
    expect(await loadsAfter(1)).toBe(1);
  });

  it('is bounded: the least recently used values go first', async () => {
    const cache: ValuesCache = createMemoryCache({ maxCopies: 10 });
    let loads = 0;
    const read = (n: number) => cache.values.getOrSet(`n${n}`, 5000, async () => ((loads += 1), n));
    for (let n = 0; n < 20; n += 1) await read(n);
    await cache.close();
    for (let n = 19; n >= 10; n -= 1) await read(n);
    expect(loads).toBe(20);
    await read(0);
    expect(loads).toBe(21);
  });
});
