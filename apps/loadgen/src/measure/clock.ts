// The machine's monotonic clock, which all threads of a run share.
const offsetMs = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();

/** Milliseconds with fractions, from an arbitrary start. */
export function nowMs(): number {
  return performance.now() + offsetMs;
}
