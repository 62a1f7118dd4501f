export interface AdmissionOptions {
  readonly perSecond: number;
  readonly burst: number;
  /** A client whose turn comes later than this gets a time for its retry, but no reservation. */
  readonly horizonMs: number;
  readonly graceMs: number;
  readonly maxPerName: number;
  /** Returns monotonic time in ms. @default performance.now */
  readonly clock?: () => number;
}

interface Reservation {
  readonly name: string;
  readonly atMs: number;
}

/**
 * A welcome costs 1.3 ms of CPU, so this rate leaves half of the core for connected clients. 10,000 clients then
 * reconnect in 25 s.
 */
export const admissionDefaults: AdmissionOptions = {
  perSecond: 400,
  burst: 400,
  horizonMs: 60_000,
  graceMs: 5_000,
  maxPerName: 4,
};

// The value is slightly less than 1, because rounding errors must not delay a token.
const oneToken = 1 - 1e-6;

/**
 * The admission is a token bucket with reservations. A client over the rate gets a reserved time, for which one token
 * is set aside. At most `perSecond × (horizonMs + graceMs)` reservations exist, and every step is O(1), amortized.
 */
export function createAdmission(options: AdmissionOptions) {
  const { burst, horizonMs, graceMs, maxPerName, clock = () => performance.now() } = options;
  const perMs = options.perSecond / 1_000;
  // The bucket holds at most `burst` tokens, for late clients and for clients on time together. A client that is late
  // by more than `toleratedMs` gets a token only if enough remain for the clients on time.
  const toleratedMs = (burst - 1) / perMs / 2 + 1;
  const tokensBesideLate = Math.ceil(toleratedMs * perMs) + 2;
  /** The set is ordered by time. */
  const reservations = new Set<Reservation>();
  const byName = new Map<string, Reservation[]>();
  let lastAtMs = -Infinity;
  let beyond = 0;
  let tokens = burst;
  let filledAtMs = clock();

  function advance(nowMs: number): void {
    tokens = Math.min(burst, tokens + (nowMs - filledAtMs) * perMs);
    filledAtMs = nowMs;
    for (const reservation of reservations) {
      if (reservation.atMs + graceMs > nowMs) break;
      releaseSlot(reservation);
    }
    if (reservations.size === 0) beyond = 0;
  }

  function releaseSlot(reservation: Reservation): void {
    reservations.delete(reservation);
    const ofName = byName.get(reservation.name);
    ofName?.splice(ofName.indexOf(reservation), 1);
    if (ofName?.length === 0) byName.delete(reservation.name);
  }

  function reserve(name: string, atMs: number): void {
    const reservation: Reservation = { name, atMs };
    reservations.add(reservation);
    const ofName = byName.get(name);
    if (ofName) ofName.push(reservation);
    else byName.set(name, [reservation]);
  }

  function defer(name: string, nowMs: number): { readonly afterMs: number } {
    const atMs = Math.max(nowMs + (1 + reservations.size - tokens) / perMs, lastAtMs + 1 / perMs);
    if (atMs - nowMs > horizonMs) {
      // A client beyond the horizon gets a time within the next horizon, but no reservation, so that memory is bounded.
      beyond += 1;
      return { afterMs: Math.ceil(horizonMs + ((beyond / perMs) % horizonMs)) };
    }
    lastAtMs = atMs;
    reserve(name, atMs);
    return { afterMs: Math.ceil(atMs - nowMs) };
  }

  return {
    /**
     * `afterMs` is null when the agent is admitted, else the time after which it should try again. Call it for
     * authenticated agents only.
     */
    admit(name: string): { readonly afterMs: number | null } {
      const nowMs = clock();
      advance(nowMs);
      const ofName = byName.get(name);
      const next = ofName?.[0];
      const lateMs = next ? nowMs - next.atMs : -1;
      const isDue = next !== undefined && lateMs >= 0;
      if (isDue) releaseSlot(next);
      const needed = lateMs > toleratedMs ? tokensBesideLate : oneToken;
      if ((isDue && tokens >= needed) || tokens - reservations.size >= oneToken) {
        tokens -= 1;
        return { afterMs: null };
      }
      if (isDue) return defer(name, nowMs);
      // The client came too early, or this is another socket of its agent. The cases cannot be distinguished here.
      const last = ofName?.at(-1);
      if (ofName && last && ofName.length >= maxPerName)
        return { afterMs: Math.ceil(Math.max(0, last.atMs - nowMs)) };
      return defer(name, nowMs);
    },
    get reserved() {
      return reservations.size;
    },
  };
}

export type Admission = ReturnType<typeof createAdmission>;
