import { describe, expect, it } from '@jest/globals';
import { isDirectChannelId, isId } from './text.ts';
import { clientMessageIdSchema, idSchema, newChannelIdSchema } from './ids.ts';

const good = [
  'a',
  '7',
  'backend-architect',
  '9f3c2a1d-5e8f-4b6a-9c1e-2a3b4c5d6e7f',
  'alice@example.org',
  'a.b_c|d~e-f',
  'dm_0123456789abcdef0123456789abcdef',
  'x'.repeat(128),
];
const bad = [
  '',
  ' ',
  'a b',
  'a:b',
  'a{b}',
  'a/b',
  'a*',
  'a\n',
  'é',
  '-a',
  '_a',
  '.a',
  '__proto__',
  'x'.repeat(129),
  7,
  null,
  undefined,
  ['a'],
];

describe('ids', () => {
  it.each(good)('%j is an id', (id) => {
    expect(isId(id)).toBe(true);
    expect(idSchema.safeParse(id).success).toBe(true);
  });

  it.each(bad)('%j is no id', (id) => {
    expect(isId(id)).toBe(false);
    expect(idSchema.safeParse(id).success).toBe(false);
  });

  it('a new channel’s id may not begin with dm_', () => {
    expect(newChannelIdSchema.safeParse('dm_x').success).toBe(false);
    expect(newChannelIdSchema.safeParse('dmx').success).toBe(true);
    expect(isDirectChannelId('dm_x')).toBe(true);
    expect(isDirectChannelId('adm_x')).toBe(false);
  });

  it('a clientMessageId is 1 to 128 printable characters', () => {
    for (const id of ['1', 'a b:{c}/é'.replace('é', 'e'), '~'.repeat(128)]) {
      expect(clientMessageIdSchema.safeParse(id).success).toBe(true);
    }
    for (const id of ['', '\t', 'a\n', 'é', '~'.repeat(129), 1]) {
      expect(clientMessageIdSchema.safeParse(id).success).toBe(false);
    }
  });
});
