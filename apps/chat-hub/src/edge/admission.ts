/** Lets newcomers in at a bounded rate and gives each of the others a moment of its own to come back. */
export interface Admission {
  /**
   * Null when this agent may come in now, else in how many milliseconds to come back. An agent that comes back then is
   * let in: a place was kept for it, which nobody else gets. To be asked for verified agents only.
   */
  ask(name: string): { readonly afterMs: number | null };
  /** Places kept for clients that were told to come back. */
  readonly kept: number;
}

/** Options of {@link createAdmission}. */
export interface AdmissionOptions {
  /** Clients let in a second, in the long run. */
  readonly perSecond: number;
  /** Clients let in at once after a quiet time. */
  readonly burst: number;
  /** The farthest moment for which a place is kept, ms ahead. Beyond it a client is told when to ask again. */
  readonly horizonMs: number;
  /** How long after its moment a place is kept. */
  readonly graceMs: number;
  /** Places kept under one name: as many sockets of an agent come back at their first try. */
  readonly maxPerName: number;
  /** Now, in ms that never go back. @default performance.now */
  readonly clock?: () => number;
}

/** A place that is kept; `atMs` is when its client may come. */
interface Place {
  readonly name: string;
  readonly atMs: number;
  isDone: boolean;
}

/**
 * What this hub does. A welcome costs it 1.3 ms, so at this rate half of its core is left for those who are in, and
 * 10,000 clients are back in 25 s. Let in all at once, 5,000 take 16 s, 1.5 GB and all that time.
 */
export const admissionDefaults: AdmissionOptions = {
  perSecond: 400,
  burst: 400,
  horizonMs: 60_000,
  graceMs: 5_000,
  maxPerName: 4,
};

// A token that has dripped in but for a rounding error is there.
const whole = 1 - 1e-6;

/**
 * A token bucket with places. Each place sets a token aside, also one that has yet to drip in, and newcomers take only
 * what is set aside for nobody. So the next moment that can be given away is when the bucket will hold one token more
 * than there are places: moments follow one another at the rate, and each place finds its token.
 *
 * Holds at most `perSecond × (horizonMs + graceMs)` places; every step is O(1), amortized.
 */
export function createAdmission(options: AdmissionOptions): Admission {
  const { burst, horizonMs, graceMs, maxPerName, clock = () => performance.now() } = options;
  const perMs = options.perSecond / 1_000;
  // In the order of their moments; before `first` all are done with.
  let places: Place[] = [];
  let first = 0;
  const byName = new Map<string, Place[]>();
  let kept = 0;
  let lastAtMs = -Infinity;
  let beyond = 0;
  let tokens = burst;
  let filledAtMs = clock();

  function advance(nowMs: number): void {
    tokens = Math.min(burst, tokens + (nowMs - filledAtMs) * perMs);
    filledAtMs = nowMs;
    for (let place = places[first]; place; place = places[first]) {
      if (!place.isDone && place.atMs + graceMs > nowMs) break;
      if (!place.isDone) release(place);
      first += 1;
    }
    if (first > 1_024 && first * 2 > places.length) {
      places = places.slice(first);
      first = 0;
    }
    if (kept === 0) beyond = 0;
  }

  function release(place: Place): void {
    place.isDone = true;
    kept -= 1;
    const own = byName.get(place.name);
    own?.splice(own.indexOf(place), 1);
    if (own?.length === 0) byName.delete(place.name);
  }

  function keep(name: string, atMs: number): void {
    const place: Place = { name, atMs, isDone: false };
    places.push(place);
    kept += 1;
    const own = byName.get(name);
    if (own) own.push(place);
    else byName.set(name, [place]);
  }

  /** Keeps a place at the next moment that nobody has. */
  function defer(name: string, nowMs: number): { readonly afterMs: number } {
    const atMs = Math.max(nowMs + (1 + kept - tokens) / perMs, lastAtMs + 1 / perMs);
    if (atMs - nowMs > horizonMs) {
      // As many moments again, in which nothing is kept: what waits is bounded.
      beyond += 1;
      return { afterMs: Math.ceil(horizonMs + ((beyond / perMs) % horizonMs)) };
    }
    lastAtMs = atMs;
    keep(name, atMs);
    return { afterMs: Math.ceil(atMs - nowMs) };
  }

  return {
    ask(name) {
      const nowMs = clock();
      advance(nowMs);
      const own = byName.get(name);
      const next = own?.[0];
      if (next && next.atMs <= nowMs) {
        release(next);
        // Else too many came too late together, and line up again.
        if (tokens < whole) return defer(name, nowMs);
        tokens -= 1;
        return { afterMs: null };
      }
      if (tokens - kept >= whole) {
        tokens -= 1;
        return { afterMs: null };
      }
      // Somebody who does not wait, or another socket of the same agent: which, cannot be told.
      const last = own?.at(-1);
      if (own && last && own.length >= maxPerName)
        return { afterMs: Math.ceil(Math.max(0, last.atMs - nowMs)) };
      return defer(name, nowMs);
    },
    get kept() {
      return kept;
    },
  };
}
