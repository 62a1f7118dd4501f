// A timer fires at once for NaN, a negative number, and a number over 2^31. Such a time from a hub would make a client
// reconnect in a loop.

const maxMs = 3_600_000;
const heartbeatMinMs = 100;
const heartbeatDefaultMs = 25_000;

/** Returns at most an hour. Null if the value is no duration. */
export function msFromHub(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 ? Math.min(value, maxMs) : null;
}

/** Returns 100 ms to an hour; 25 s if the value is no duration. */
export function heartbeatFromHub(value: unknown): number {
  return Math.max(heartbeatMinMs, msFromHub(value) ?? heartbeatDefaultMs);
}
