import type { Randomness } from './randomness.ts';

export interface Pace {
  typingMs(text: string): number;
  gapMs(): number;
}

export function createPace(factor: number, random: Randomness): Pace {
  return {
    typingMs: ({ length }) => Math.min(2_800, 500 + length * 14) / factor,
    gapMs: () => random.between(700, 3_200) / factor,
  };
}

export const noPace: Pace = { typingMs: () => 0, gapMs: () => 0 };
