// All threads of a run share the machine's monotonic clock.
const offsetMs = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();

export function nowMs(): number {
  return performance.now() + offsetMs;
}
