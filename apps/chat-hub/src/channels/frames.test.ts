import { describe, expect, it } from '@jest/globals';
import type { Writable } from 'node:stream';
import * as ws from 'ws';
import { sizeOfFrame, textFrame, textFrames } from './frames.ts';

// ws exports `Receiver`, but its type definitions do not.
const { Receiver } = ws as unknown as {
  Receiver: new (options: { isServer: boolean }) => Writable;
};

// ws parses the frames, so that they are tested against an independent implementation of RFC 6455.
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
