import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '../observe/metrics.ts';
import { parseDelayBuckets, recentDelayMs } from './recent-delay.ts';

describe('the recent delay of the event loop', () => {
  async function delayOf(
    earlierMs: readonly number[],
    recentMs: readonly number[],
  ): Promise<number | null> {
    const { registry, eventLoopDelaySeconds: histogram } = createMetrics();
    const read = async () => parseDelayBuckets(await registry.metrics());
    for (const ms of earlierMs) histogram.observe(ms / 1_000);
    const before = await read();
    for (const ms of recentMs) histogram.observe(ms / 1_000);
    return recentDelayMs(before, await read());
  }
  const times = (count: number, ms: number) => Array.from({ length: count }, () => ms);

  it('is the bound of the 90th percentile of recent samples', async () => {
    expect(await delayOf([], [...times(22, 0.5), ...times(3, 1.5)])).toBe(2);
    expect(await delayOf([], [...times(24, 0.5), 70])).toBe(1);
    expect(await delayOf([], times(5, 90))).toBe(100);
    expect(await delayOf([], times(5, 9_000))).toBe(Infinity);
  });

  it('ignores earlier samples', async () => {
    expect(await delayOf(times(1_000, 200), times(20, 3))).toBe(4);
    expect(await delayOf(times(1_000, 3), times(20, 200))).toBe(250);
  });

  it('is unknown without samples, after a restart and from a hub without the metric', async () => {
    expect(await delayOf(times(10, 3), [])).toBeNull();
    const many = new Map([[Infinity, 10]]);
    expect(recentDelayMs(many, new Map([[Infinity, 3]]))).toBeNull();
    expect(recentDelayMs(parseDelayBuckets(''), parseDelayBuckets(''))).toBeNull();
  });
});
