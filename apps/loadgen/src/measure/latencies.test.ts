import { describe, expect, it } from '@jest/globals';
import { createLatencies } from './latencies.ts';

describe('latencies', () => {
  it('have percentiles in milliseconds, exact to a thousandth', () => {
    const latencies = createLatencies();
    for (let ms = 1; ms <= 1000; ms += 1) latencies.record('delivery', ms);
    const summary = latencies.summary('delivery');
    expect(summary?.count).toBe(1000);
    expect(summary?.p50).toBeCloseTo(500, -0.5);
    expect(summary?.p90).toBeCloseTo(900, -0.5);
    expect(summary?.p99).toBeCloseTo(990, -0.5);
    expect(Math.abs((summary?.max ?? 0) - 1000)).toBeLessThan(1);
    expect(latencies.summary('typing')).toBeNull();
  });

  it('clamp values that are out of range', () => {
    const latencies = createLatencies();
    latencies.record('ack', -5);
    latencies.record('ack', 1e9);
    expect(latencies.summary('ack')).toMatchObject({ count: 2, p50: 0.001 });
  });

  it('can be merged over threads', () => {
    const [one, two, all] = [createLatencies(), createLatencies(), createLatencies()];
    one.record('ack', 1);
    two.record('ack', 3);
    two.record('typing', 5);
    all.add(one.encode());
    all.add(two.encode());
    expect(all.summary('ack')).toMatchObject({ count: 2, p50: 1 });
    expect(all.summary('typing')?.count).toBe(1);
  });
});
