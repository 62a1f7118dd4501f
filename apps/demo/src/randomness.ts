export interface Randomness {
  next(): number;
  /** Includes both ends. */
  between(min: number, max: number): number;
  chance(probability: number): boolean;
  /** @throws {RangeError} when the list is empty */
  pick<T>(from: readonly T[]): T;
  some<T>(from: readonly T[], count: number): T[];
}

/** A linear congruential generator is good enough for scenes, but not for secrets. */
export function createRandomness(seed: number): Randomness {
  let state = seed >>> 0;
  function next(): number {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // The low bits of a linear congruential generator have short periods.
    return (state >>> 8) / 2 ** 24;
  }
  const between = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  function pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('nothing to pick from');
    return from[between(0, from.length - 1)] as T;
  }
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick,
    some(from, count) {
      const left = [...from];
      const taken = [];
      while (taken.length < count && left.length > 0)
        taken.push(...left.splice(between(0, left.length - 1), 1));
      return taken;
    },
  };
}
