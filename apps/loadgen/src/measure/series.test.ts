import { describe, expect, it } from '@jest/globals';
import { createSeries, intervalMsFor, mergeSeries } from './series.ts';

describe('a time series', () => {
  it('counts by interval, and adds up the threads', () => {
    const one = createSeries(1_000, 1_000);
    const other = createSeries(1_000, 1_000);
    one.count('sent');
    one.record('delivery', 10);
    other.count('sent');
    other.record('delivery', 30);
    one.advance(2_500);
    one.count('sent');
    one.count('errors');
    one.advance(4_000);
    one.count('acked');

    const points = mergeSeries([...one.take(), ...other.take()], 1_000);
    expect(points.map(({ atMs, sent, acked, errors }) => [atMs, sent, acked, errors])).toEqual([
      [0, 2, 0, 0],
      [1_000, 1, 0, 1],
      [3_000, 0, 1, 0],
    ]);
    const [first] = points;
    expect(first?.latencies.delivery?.count).toBe(2);
    expect(first?.latencies.delivery?.max).toBeCloseTo(30, 0);
    expect(first?.latencies.ack).toBeNull();
  });

  it('gives each interval once', () => {
    const series = createSeries(0, 1_000);
    series.count('sent');
    expect(series.take()).toHaveLength(1);
    expect(series.take()).toHaveLength(0);
  });

  it('shows the p99 of the last complete interval', () => {
    const series = createSeries(0, 1_000);
    series.record('ack', 5);
    expect(series.lastP99('ack')).toBe(0);
    series.advance(1_000);
    expect(series.lastP99('ack')).toBeCloseTo(5, 0);
    series.advance(2_000);
    expect(series.lastP99('ack')).toBe(0);
  });

  it('has at most 600 intervals, however long the run is', () => {
    expect(intervalMsFor(10_000)).toBe(1_000);
    expect(intervalMsFor(600_000)).toBe(1_000);
    expect(3_600_000 / intervalMsFor(3_600_000)).toBeLessThanOrEqual(600);
  });
});
