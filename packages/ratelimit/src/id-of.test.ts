import { expect, it } from '@jest/globals';
import { isNameId } from '@openclaw/key-schema';
import { idOf } from './id-of.ts';

it('keeps a text that can be part of a key, and hashes any other', () => {
  expect(idOf('203.0.113.7')).toBe('203.0.113.7');
  const texts = ['', '::1', 'a b', 'a:b', '{a}', 'ä'.repeat(10_000), '-a', 'x'.repeat(129)];
  const ids = texts.map(idOf);
  expect(ids.every(isNameId)).toBe(true);
  expect(new Set(ids).size).toBe(texts.length);
});

it('hashes the id of another text, so that nobody can use up its limit', () => {
  expect(idOf(idOf('::1'))).not.toBe(idOf('::1'));
});
