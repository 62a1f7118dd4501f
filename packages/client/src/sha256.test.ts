import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { sha256Hex } from './sha256.ts';

describe('sha256Hex', () => {
  it('answers what the platform’s own answers, for every length over several blocks', () => {
    for (let length = 0; length < 300; length += 1) {
      const text = Array.from({ length }, (_, i) => String.fromCharCode(33 + ((i * 7) % 90))).join(
        '',
      );
      expect(sha256Hex(text)).toBe(createHash('sha256').update(text).digest('hex'));
    }
    expect(sha256Hex('zoë\nада 👍')).toBe(createHash('sha256').update('zoë\nада 👍').digest('hex'));
  });
});
