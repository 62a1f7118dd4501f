import { createLatencies, type Latencies, type LatencyName } from './latencies.ts';
import type { Series, SeriesName } from './series.ts';

export interface StageTimes {
  readonly startMs: number;
  /** Measuring starts at this time, after the warm-up. */
  readonly measureMs: number;
  /** All operations are due before this time. */
  readonly endMs: number;
}

export interface Tally {
  times: StageTimes;
  series: Series | null;
  /** Counts only calls after the warm-up. */
  sent: number;
  acked: number;
  /** Counts operations that could not be run, such as a reaction before the first message. */
  skipped: number;
  readonly errors: Map<string, number>;
  lastAckMs: number;
  deliveries: number;
  reconnects: number;
  latencies: Latencies;
}

export function createTally(): Tally {
  return {
    times: { startMs: Infinity, measureMs: Infinity, endMs: Infinity },
    series: null,
    sent: 0,
    acked: 0,
    skipped: 0,
    errors: new Map(),
    lastAckMs: 0,
    deliveries: 0,
    reconnects: 0,
    latencies: createLatencies(),
  };
}

export function resetTally(tally: Tally, times: StageTimes): void {
  tally.times = times;
  tally.errors.clear();
  tally.latencies = createLatencies();
  tally.sent = tally.acked = tally.skipped = tally.lastAckMs = tally.deliveries = 0;
  tally.reconnects = 0;
}

export function record(tally: Tally, name: LatencyName, dueMs: number, nowMs: number): void {
  if (!(dueMs >= tally.times.measureMs)) return;
  tally.latencies.record(name, nowMs - dueMs);
  if (isInSeries(name)) tally.series?.record(name, nowMs - dueMs);
}

function isInSeries(name: LatencyName): name is SeriesName {
  return name === 'delivery' || name === 'ack' || name === 'lateness';
}

export function countError(errors: Map<string, number>, code: string): void {
  errors.set(code, (errors.get(code) ?? 0) + 1);
}
