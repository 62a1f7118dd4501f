/**
 * Remembers the ids seen last, in two generations: the younger is filled until it is half of `maxIds` or `windowMs` old,
 * then it becomes the elder and the elder is forgotten at once, without walking it. So the last `maxIds / 2` ids of the
 * last `windowMs` are always known, and never more than `maxIds` are kept.
 */
export class RecentIds {
  readonly #generationSize: number;
  readonly #windowMs: number;
  readonly #clock: () => number;
  #young = new Set<string>();
  #old = new Set<string>();
  #bornAtMs: number;

  constructor(maxIds: number, windowMs: number, clock: () => number) {
    this.#generationSize = Math.ceil(maxIds / 2);
    this.#windowMs = windowMs;
    this.#clock = clock;
    this.#bornAtMs = clock();
  }

  has(id: string): boolean {
    return this.#young.has(id) || this.#old.has(id);
  }

  add(id: string): void {
    const nowMs = this.#clock();
    const ageMs = nowMs - this.#bornAtMs;
    if (this.#young.size >= this.#generationSize || ageMs >= this.#windowMs) {
      // After two windows of silence the younger generation has outlived its use as well.
      this.#old = ageMs >= 2 * this.#windowMs ? new Set() : this.#young;
      this.#young = new Set();
      this.#bornAtMs = nowMs;
    }
    this.#young.add(id);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
