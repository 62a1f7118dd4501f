import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalEmoji, isEmoji } from './emoji.ts';
import { emojiSchema } from './fields.ts';
import { limits } from './limits.ts';

const heart = '\u2764';
const thumb = '\u{1F44D}';

describe('a reaction', () => {
  it.each([
    ['a heart, with or without its variation selector', heart, `${heart}\uFE0F`],
    ['a heart in text style', `${heart}\uFE0E`, `${heart}\uFE0F`],
    ['a thumb with a selector that it does not need', `${thumb}\uFE0F`, thumb],
    ['an accent, composed or not', 'e\u0301', '\u00E9'],
    ['a keycap', '1\u20E3', '1\uFE0F\u20E3'],
    ['a joined picture', '\u{1F3F3}\u200D\u{1F308}', '\u{1F3F3}\uFE0F\u200D\u{1F308}'],
    ['a detective', '\u{1F575}\u200D\u2642', '\u{1F575}\uFE0F\u200D\u2642\uFE0F'],
    [
      'a detective with a skin tone',
      '\u{1F575}\u{1F3FD}\u200D\u2642',
      '\u{1F575}\u{1F3FD}\u200D\u2642\uFE0F',
    ],
  ])('has one spelling: %s', (_name, written, stored) => {
    expect(emojiSchema.parse(written)).toBe(stored);
    expect(emojiSchema.parse(stored)).toBe(stored);
  });

  it('keeps every emoji of Unicode’s list as it is', () => {
    const family = '👨‍👩‍👧‍👦';
    for (const emoji of ['👍', family, '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '❤️', '👁️‍🗨️', '👍🏽', '🇩🇪', '#️⃣', '©️', '+1', ':ship_it:'])
      expect(emojiSchema.parse(emoji)).toBe(emoji);
  });

  it.each([
    ['a joiner alone', '\u200D'],
    ['a joiner at the end', `${thumb}\u200D`],
    ['a change of direction', '\u202E'],
    ['text with a change of direction', 'ok\u202E'],
    ['a variation selector alone', '\uFE0F'],
    ['a space of no width in a name', 'ok\u200B'],
    ['a Hangul filler', '\u3164'],
    ['an empty Braille pattern', '\u2800'],
    ['tags without a flag', '\u{E0067}\u{E0062}\u{E007F}'],
    ['an accent on nothing', '\u0301'],
    ['a name that every object has', 'constructor'],
    ['the name of the prototype', '__proto__'],
    ['prototype', 'prototype'],
    ['a method of every object', 'toString'],
    ['a space', 'a b'],
    ['a line break', 'a\n'],
    ['U+0000', '\0'],
    ['half a surrogate pair', '\ud83d'],
    ['nothing', ''],
    ['too much', 'x'.repeat(limits.emojiChars + 1)],
    ['a spelling that becomes too long', heart.repeat(limits.emojiChars)],
  ])('is refused: %s', (_name, written) => {
    expect(emojiSchema.safeParse(written).success).toBe(false);
  });

  it('is spelled the same when it is canonical already, whatever it is', () => {
    const parts = fc.constantFrom(
      heart,
      thumb,
      '\uFE0F',
      '\uFE0E',
      '\u200D',
      '1',
      '\u20E3',
      'e\u0301',
      '\u{1F3FD}',
    );
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(parts).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (written) => {
        const canonical = canonicalEmoji(written);
        expect(canonicalEmoji(canonical)).toBe(canonical);
        if (emojiSchema.safeParse(written).success) {
          expect(emojiSchema.parse(emojiSchema.parse(written))).toBe(canonical);
          expect(isEmoji(canonical)).toBe(true);
        }
      }),
    );
  });
});
