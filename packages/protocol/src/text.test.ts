import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { limits } from './limits.ts';
import { isContentTooLarge, isLine, isStorableText, utf8Bytes } from './text.ts';

const encoder = new TextEncoder();

describe('text', () => {
  it('counts UTF-8 bytes as an encoder would', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(fc.property(text, (t) => utf8Bytes(t) === encoder.encode(t).length));
    expect(utf8Bytes('aé€😀')).toBe(1 + 2 + 3 + 4);
  });

  it('finds content too large by bytes, not by characters', () => {
    expect(isContentTooLarge('a'.repeat(limits.contentBytes))).toBe(false);
    expect(isContentTooLarge('a'.repeat(limits.contentBytes + 1))).toBe(true);
    expect(isContentTooLarge('é'.repeat(limits.contentBytes / 2))).toBe(false);
    expect(isContentTooLarge('é'.repeat(limits.contentBytes / 2) + 'a')).toBe(true);
    expect(isContentTooLarge('😀'.repeat(limits.contentBytes / 4))).toBe(false);
    expect(isContentTooLarge('😀'.repeat(limits.contentBytes / 4) + 'a')).toBe(true);
  });

  it('knows what a database would refuse or change: U+0000 and half a surrogate pair', () => {
    for (const text of ['', 'tab\tand\nline', '😀', '\u0001'])
      expect(isStorableText(text)).toBe(true);
    for (const text of ['a\0', '\ud83d', '\ude00a']) expect(isStorableText(text)).toBe(false);
  });

  it('accepts as a name one line that is not blank and has no control characters', () => {
    for (const text of ['a', ' a ', 'Général 😀']) expect(isLine(text)).toBe(true);
    for (const text of ['', '  ', 'a\nb', 'a\u0007', '\u009b']) expect(isLine(text)).toBe(false);
  });
});
