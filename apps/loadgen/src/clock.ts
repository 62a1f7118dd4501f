// The machine's monotonic clock, so that all threads of a run share one time.
const offsetMs = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();

/** Milliseconds, with fractions, from some moment before the run. */
export function nowMs(): number {
  return performance.now() + offsetMs;
}
