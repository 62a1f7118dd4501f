/** The requests that leave the window together. */
export interface Slice {
  readonly leavesAtMs: number;
  count: number;
}

/**
 * The requests of the last `windowMs`, in slices of `sliceMs`: about sixty numbers, however many requests. A slice counts
 * until the youngest request that it can hold is `windowMs` old, so the window is never shorter than `windowMs` and at most
 * one slice longer. The script `count.lua` has the same rule.
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

  /** The slices in the window, oldest first. */
  get slices(): readonly Slice[] {
    return this.#slices;
  }

  /** The number of requests in the window at `nowMs`. Drops the slices that left it. */
  count(nowMs: number): number {
    const newest = this.#slices.at(-1);
    if (newest && newest.leavesAtMs > nowMs + 2 * this.#windowMs + this.#sliceMs) {
      // The clock was set back by more than a window; the slices would stay for that long.
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

  add(nowMs: number): void {
    const sliceEndMs = (Math.floor(nowMs / this.#sliceMs) + 1) * this.#sliceMs;
    this.#append(sliceEndMs + this.#windowMs, 1);
  }

  /** Adds the slices of another window. */
  merge(slices: readonly Slice[]): void {
    const all = [...this.#slices, ...slices].sort((a, b) => a.leavesAtMs - b.leavesAtMs);
    this.#slices = [];
    this.#total = 0;
    for (const { leavesAtMs, count } of all) this.#append(leavesAtMs, count);
  }

  #append(leavesAtMs: number, count: number): void {
    const newest = this.#slices.at(-1);
    // After the clock was set back a little, the newest slice counts, so that the slices stay in order.
    if (newest && newest.leavesAtMs >= leavesAtMs) newest.count += count;
    else this.#slices.push({ leavesAtMs, count });
    this.#total += count;
  }
}

/** Milliseconds until `requests` requests of the slices have left the window; 0 if there are none. */
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
