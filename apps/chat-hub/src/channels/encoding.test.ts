import { describe, expect, it } from '@jest/globals';
import type { Writable } from 'node:stream';
import type { EncodedEnvelope } from '@openclaw/protocol';
import * as ws from 'ws';
import type { Steps } from '../event-loop/time-sliced-queue.ts';
import {
  encodedText,
  encodeEvents,
  pieceChars,
  sizeOfFrame,
  textFrame,
  textFrames,
} from './encoding.ts';

// ws exports `Receiver`, but its type definitions do not.
const { Receiver } = ws as unknown as {
  Receiver: new (options: { isServer: boolean }) => Writable;
};

// The frames are parsed by ws, so that they are tested against RFC 6455 and not against our own understanding of it.
function read(frames: Buffer): Promise<string> {
  const receiver = new Receiver({ isServer: false });
  return new Promise((resolve, reject) => {
    receiver.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) reject(new Error('binary'));
      else resolve(data.toString());
    });
    receiver.on('error', reject);
    receiver.write(frames);
  });
}

describe('text frame', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])(
    'of %i characters reads back unchanged',
    async (length) => {
      const text = 'x'.repeat(length);
      await expect(read(textFrame(text))).resolves.toBe(text);
    },
  );

  it('counts UTF-8 bytes, not characters', async () => {
    const text = '🚀é\u0000"'.repeat(40);
    await expect(read(textFrame(text))).resolves.toBe(text);
  });
});

describe('a text in pieces', () => {
  const pieces = (count: number, length: number) =>
    Array.from({ length: count }, (_, n) => Buffer.from(String(n % 10).repeat(length)));

  it('is one whole frame when it is small', async () => {
    const [frame, ...more] = textFrames(pieces(3, 100));
    expect(more).toEqual([]);
    await expect(read(frame as Buffer)).resolves.toBe(pieces(3, 100).join(''));
  });

  it('is one message of many frames when it is large, with a ping between any two', async () => {
    const parts = pieces(40, 60_000);
    const frames = textFrames(parts);
    expect(frames.length).toBeGreaterThan(10);
    expect(Math.max(...frames.map(sizeOfFrame))).toBeLessThan(200_000);
    const ping = Buffer.from([0x89, 0x00]);
    const bytes = Buffer.concat(frames.flatMap((frame) => [ping, ...[frame].flat()]));
    await expect(read(bytes)).resolves.toBe(parts.join(''));
  });
});

/** Runs all steps; returns their number and the result. */
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
