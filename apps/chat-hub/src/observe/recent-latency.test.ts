import { describe, expect, it } from '@jest/globals';
import { RecentLatency } from './recent-latency.ts';

describe('recent latency', () => {
  it('answers percentiles that are exact to 1/32 or a tenth of a millisecond', () => {
    const recent = new RecentLatency();
    for (const scale of [0.1, 3, 700]) {
      const own = new RecentLatency();
      for (let i = 1; i <= 1_000; i++) own.record(i * scale);
      const { p50, p90, p99 } = own.percentiles() ?? { p50: 0, p90: 0, p99: 0 };
      for (const [found, truth] of [
        [p50, 500 * scale],
        [p90, 900 * scale],
        [p99, 990 * scale],
      ] as const) {
        const true_ = Math.min(truth, 65_536);
        expect(Math.abs(found - true_)).toBeLessThanOrEqual(Math.max(0.1, true_ / 31));
      }
    }
    expect(recent.percentiles()).toBeNull();
  });

  it('is exact for short latencies in whole milliseconds', () => {
    for (const ms of [0, 1, 2]) {
      const recent = new RecentLatency();
      recent.record(ms);
      expect(recent.percentiles()).toEqual({ p50: ms, p90: ms, p99: ms });
    }
  });

  it('counts a latency with its weight', () => {
    const recent = new RecentLatency();
    recent.record(1, 98);
    recent.record(100, 2);
    const found = recent.percentiles();
    expect(found).toMatchObject({ p50: 1, p90: 1 });
    expect(found?.p99).toBeGreaterThan(95);
  });

  it('survives values that no clock should give: negative, infinite, huge', () => {
    const recent = new RecentLatency();
    for (const odd of [-5, Infinity, 1e12]) recent.record(odd);
    expect(recent.percentiles()?.p50).toBeGreaterThan(60_000);
  });

  it('forgets after one or two slices, and answers rates per second', () => {
    let nowMs = 0;
    const recent = new RecentLatency({ sliceMs: 5_000, clock: () => nowMs });
    for (let second = 0; second < 10; second++) {
      nowMs = second * 1_000;
      for (let i = 0; i < 20; i++) recent.record(1, 3);
    }
    nowMs = 9_999;
    expect(recent.rates().perSecond).toBeCloseTo(20, 0);
    expect(recent.rates().weightPerSecond).toBeCloseTo(60, 0);
    nowMs = 12_000;
    expect(recent.percentiles()).not.toBeNull();
    nowMs = 22_000;
    expect(recent.percentiles()).toBeNull();
    expect(recent.rates()).toEqual({ perSecond: 0, weightPerSecond: 0 });
  });
});
