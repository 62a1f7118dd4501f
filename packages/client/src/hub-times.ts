// A timer fires at once for NaN, for a negative number and for a number over 2^31. A client that set such a timer
// from a frame would reconnect or ping in a loop.

/** The longest time that a hub may set. */
const maxMs = 3_600_000;
const heartbeatMinMs = 100;
const heartbeatDefaultMs = 25_000;

/** A time that the hub sent, an hour at most. Null if it is not a time. */
export function msFromHub(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 ? Math.min(value, maxMs) : null;
}

/** The hub's heartbeat, from 100 ms to an hour. If the hub did not send a time, 25 s. */
export function heartbeatFromHub(value: unknown): number {
  return Math.max(heartbeatMinMs, msFromHub(value) ?? heartbeatDefaultMs);
}
