const variationSelectors = /[\uFE0E\uFE0F]/gu;
/**
 * A character that is shown as text unless a variation selector follows it. A skin tone has the same effect as a
 * selector.
 */
const textByDefault =
  /(?=\p{Emoji})(?!\p{Emoji_Presentation})\p{Extended_Pictographic}(?!\p{Emoji_Modifier})/gu;
const keycap = /([0-9#*])\u20E3/gu;

/**
 * The one spelling of a reaction: reactions that look the same get the same text. It is NFC, with the variation
 * selectors of Unicode's own list of emoji and no others.
 */
export function canonicalEmoji(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll(variationSelectors, '')
    .replaceAll(textByDefault, '$&\uFE0F')
    .replaceAll(keycap, '$1\uFE0F\u20E3');
}

/** A joiner between two pictures. */
const joined =
  /(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}])\u200D(?=\p{Extended_Pictographic})/gu;
/** The flag of a region: a black flag with the region in invisible tags. */
const regionFlag = /\u{1F3F4}[\u{E0020}-\u{E007E}]{1,32}\u{E007F}/gu;
/** Characters that show nothing, or change the direction of others. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u;
/** Text must not begin with a mark, because a mark is drawn on the character before it. */
const beginsWithMark = /^\p{M}/u;

/**
 * True for a canonical spelling that can be the name of a reaction: every character shows something. Reactions are an
 * object with emoji as keys, so names that every object has are not allowed either.
 */
export function isEmoji(canonical: string): boolean {
  const shown = canonical
    .replaceAll(variationSelectors, '')
    .replaceAll(joined, '')
    .replaceAll(regionFlag, '\u{1F3F4}');
  return (
    shown !== '' &&
    !invisible.test(shown) &&
    !beginsWithMark.test(shown) &&
    canonical !== 'prototype' &&
    !(canonical in {})
  );
}
