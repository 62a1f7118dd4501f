import type { Latencies, LatencyName } from './latencies.ts';

/** The phases of a run, on the shared clock. */
export interface RunTimes {
  /** When the first operation is due. */
  readonly startMs: number;
  /** The end of the warm-up, when measuring starts. */
  readonly measureMs: number;
  /** All operations are due before this time. */
  readonly endMs: number;
}

/** The measurements of one thread's agents. */
export interface Tally {
  times: RunTimes;
  /** Measured operations, by outcome. */
  sent: number;
  acked: number;
  readonly errors: Map<string, number>;
  /** When the last measured operation was acknowledged. */
  lastAckMs: number;
  /** Events received since the warm-up. */
  deliveries: number;
  /** When the last of them was received. */
  lastDeliveryMs: number;
  readonly latencies: Latencies;
}

/** Measures nothing until its times are set. */
export function createTally(latencies: Latencies): Tally {
  return {
    times: { startMs: Infinity, measureMs: Infinity, endMs: Infinity },
    sent: 0,
    acked: 0,
    errors: new Map(),
    lastAckMs: 0,
    deliveries: 0,
    lastDeliveryMs: 0,
    latencies,
  };
}

/** Records the latency from the due time until now, unless it was due in the warm-up. */
export function record(tally: Tally, name: LatencyName, dueMs: number, nowMs: number): void {
  if (dueMs >= tally.times.measureMs) tally.latencies.record(name, nowMs - dueMs);
}

export function countError(errors: Map<string, number>, code: string): void {
  errors.set(code, (errors.get(code) ?? 0) + 1);
}
