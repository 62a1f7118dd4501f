import { describe, expect, it } from '@jest/globals';
import type { Writable } from 'node:stream';
import * as ws from 'ws';
import { textFrame } from './frame.ts';

// Exported by ws, not by its types.
const { Receiver } = ws as unknown as {
  Receiver: new (options: { isServer: boolean }) => Writable;
};

// ws' own parser reads what we frame, so the frames are held to RFC 6455 and not to our reading of it.
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
    'of %i characters reads back as it was',
    async (length) => {
      const text = 'x'.repeat(length);
      await expect(read(textFrame(text))).resolves.toBe(text);
    },
  );

  it('counts bytes of UTF-8, not characters', async () => {
    const text = '🚀é\u0000"'.repeat(40);
    await expect(read(textFrame(text))).resolves.toBe(text);
  });
});
