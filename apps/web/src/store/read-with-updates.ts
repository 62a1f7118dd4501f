import type { Envelope } from '@openclaw/protocol';

/** What the hub answered, and what was heard between the question and the answer, which it may be older than. */
export interface Answer<T> {
  readonly answer: T;
  readonly meanwhile: readonly Envelope[];
}

/** Remembers what is heard while questions are on their way. */
export interface Meanwhile {
  ask<T>(question: () => Promise<T>): Promise<Answer<T>>;
  hear(envelopes: readonly Envelope[]): void;
}

// Each question is answered or given up within seconds.
const heardMax = 20_000;

/** With no question on its way nothing is kept. */
export function createMeanwhile(): Meanwhile {
  let questions = 0;
  let heard: Envelope[] = [];
  return {
    async ask(question) {
      const from = heard.length;
      questions += 1;
      try {
        const answer = await question();
        return { answer, meanwhile: heard.slice(from) };
      } finally {
        questions -= 1;
        if (questions === 0) heard = [];
      }
    },
    hear(envelopes) {
      if (questions > 0 && heard.length < heardMax) heard.push(...envelopes);
    },
  };
}
