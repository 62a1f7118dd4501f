/**
 * Counts what happened within the last `slices` × `sliceMs`. Each slice holds one number, so the memory does not grow.
 */
export class RecentCount {
  readonly #sliceMs: number;
  readonly #counts: number[];
  #newest = 0;

  constructor(sliceMs: number, slices: number) {
    this.#sliceMs = sliceMs;
    this.#counts = Array.from({ length: slices }, () => 0);
  }

  add(count: number, nowMs: number): void {
    this.#forget(nowMs);
    const at = this.#newest % this.#counts.length;
    this.#counts[at] = (this.#counts[at] ?? 0) + count;
  }

  sum(nowMs: number): number {
    this.#forget(nowMs);
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  #forget(nowMs: number): void {
    const newest = Math.floor(nowMs / this.#sliceMs);
    // After the clock was set back, no count is dropped until the clock has caught up.
    const passed = Math.min(newest - this.#newest, this.#counts.length);
    for (let n = 0; n < passed; n += 1) this.#counts[(newest - n) % this.#counts.length] = 0;
    this.#newest = Math.max(newest, this.#newest);
  }
}
