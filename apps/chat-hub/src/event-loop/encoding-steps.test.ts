import { describe, expect, it } from '@jest/globals';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { encodedText, encodeEvents, pieceChars } from './encoding-steps.ts';
import type { Steps } from './time-sliced-queue.ts';

function stepped<T>(steps: Steps<T>): { count: number; value: T } {
  for (let count = 1; ; count++) {
    const { done, value } = steps.next();
    if (done) return { count, value };
  }
}

describe('text that is encoded in steps', () => {
  it('is the same text, even if a piece would end within a character', () => {
    for (const offset of [0, 1]) {
      const text = 'x'.repeat(offset) + '🚀é'.repeat(100_000);
      const { count, value } = stepped(encodedText(text));
      expect(Buffer.concat(value).toString()).toBe(text);
      expect(count).toBe(value.length);
      expect(Math.max(...value.map((piece) => piece.toString().length))).toBeLessThanOrEqual(
        pieceChars,
      );
    }
  });

  it('takes a step for each 64 Ki characters of events, and separates them by commas', () => {
    const events = Array.from({ length: 300 }, (_, n) => ({
      json: JSON.stringify({ n, text: 'é'.repeat(1_000) }),
    })) as EncodedEnvelope[];
    const pieces: Buffer[] = [];
    const { count, value } = stepped(encodeEvents(events.slice(0, 299), pieces));
    expect(count).toBeGreaterThanOrEqual(4);
    const rest = stepped(encodeEvents(events.slice(299), pieces)).value;
    const json = Buffer.concat(pieces);
    expect(json.length).toBe(value + rest);
    expect(JSON.parse(`[${json.toString()}]`)).toHaveLength(300);
  });
});
