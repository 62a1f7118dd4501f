/** Requests that leave the window together. */
export interface Slice {
  /** From then on they do not count. */
  readonly leavesAtMs: number;
  count: number;
}

/**
 * The requests of the last `windowMs`, in slices of `sliceMs`; at most some sixty numbers, however many requests.
 * A slice counts until the youngest request it may hold is `windowMs` old: the window is never shorter than it says
 * and at most one slice longer. The script `count.lua` keeps the same rule.
 */
export class SlidingWindow {
  readonly #windowMs: number;
  readonly #sliceMs: number;
  #slices: Slice[] = [];
  #total = 0;

  constructor(windowMs: number, sliceMs: number) {
    this.#windowMs = windowMs;
    this.#sliceMs = sliceMs;
  }

  /** What stands in the window, oldest first. */
  get slices(): readonly Slice[] {
    return this.#slices;
  }

  /** How many requests stand in the window at `nowMs`; drops those that left. */
  count(nowMs: number): number {
    const newest = this.#slices.at(-1);
    if (newest && newest.leavesAtMs > nowMs + 2 * this.#windowMs + this.#sliceMs) {
      // The clock was set back by more than a window: without this they would count for as long.
      this.#slices = [];
      this.#total = 0;
    }
    let gone = 0;
    for (const slice of this.#slices) {
      if (slice.leavesAtMs > nowMs) break;
      this.#total -= slice.count;
      gone += 1;
    }
    if (gone > 0) this.#slices.splice(0, gone);
    return this.#total;
  }

  /** Counts one request more, at `nowMs`. */
  add(nowMs: number): void {
    const sliceEndMs = (Math.floor(nowMs / this.#sliceMs) + 1) * this.#sliceMs;
    this.#append(sliceEndMs + this.#windowMs, 1);
  }

  /** Takes in slices that another window counted. */
  merge(slices: readonly Slice[]): void {
    const all = [...this.#slices, ...slices].sort((a, b) => a.leavesAtMs - b.leavesAtMs);
    this.#slices = [];
    this.#total = 0;
    for (const { leavesAtMs, count } of all) this.#append(leavesAtMs, count);
  }

  #append(leavesAtMs: number, count: number): void {
    const newest = this.#slices.at(-1);
    // A clock set back a little counts into the newest slice, so that they stay in order.
    if (newest && newest.leavesAtMs >= leavesAtMs) newest.count += count;
    else this.#slices.push({ leavesAtMs, count });
    this.#total += count;
  }
}

/** Milliseconds until `requests` of those that stand in the slices have left; 0 when there are none. */
export function leftInMs(slices: readonly Slice[], nowMs: number, requests: number): number {
  let left = 0;
  let leavesAtMs = nowMs;
  for (const slice of slices) {
    if (left >= requests) break;
    left += slice.count;
    leavesAtMs = slice.leavesAtMs;
  }
  return Math.max(0, leavesAtMs - nowMs);
}
