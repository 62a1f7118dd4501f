import type { Latencies, LatencyName } from './latencies.ts';

/** Which part of a run counts, on the shared clock. */
export interface RunTimes {
  /** The first operation is due. */
  readonly startMs: number;
  /** From here on it counts: the warm-up is over. */
  readonly measureMs: number;
  /** Nothing is due any more. */
  readonly endMs: number;
}

/** What the agents of one thread measured. */
export interface Tally {
  times: RunTimes;
  /** Measured operations, by how they ended. */
  sent: number;
  acked: number;
  readonly errors: Map<string, number>;
  /** When the last measured operation was acknowledged. */
  lastAckMs: number;
  /** Events received since the measuring began. */
  deliveries: number;
  /** When the last of them came. */
  lastDeliveryMs: number;
  readonly latencies: Latencies;
}

/** A tally that measures nothing until it gets its times. */
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

/** Times something that was due then and happens now; what was due in the warm-up does not count. */
export function record(tally: Tally, name: LatencyName, dueMs: number, nowMs: number): void {
  if (dueMs >= tally.times.measureMs) tally.latencies.record(name, nowMs - dueMs);
}

/** Counts one more of `code`. */
export function countError(errors: Map<string, number>, code: string): void {
  errors.set(code, (errors.get(code) ?? 0) + 1);
}
