import type { Randomness } from './randomness.ts';

/** How fast the demo goes. */
export interface Tempo {
  /** How long a text is typed. */
  typingMs(text: string): number;
  /** Between two things that happen. */
  gapMs(): number;
}

/** A tempo that a person can read along with at pace 1; twice as fast at 2. */
export function createTempo(pace: number, random: Randomness): Tempo {
  return {
    typingMs: ({ length }) => Math.min(2_800, 500 + length * 14) / pace,
    gapMs: () => random.between(700, 3_200) / pace,
  };
}

/** Without any waiting: to give a new channel something to read. */
export const noTempo: Tempo = { typingMs: () => 0, gapMs: () => 0 };
