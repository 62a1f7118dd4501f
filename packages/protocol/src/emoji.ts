const variationSelectors = /[\uFE0E\uFE0F]/gu;
/** Shown as text unless a variation selector or skin tone follows. */
const textByDefault =
  /(?=\p{Emoji})(?!\p{Emoji_Presentation})\p{Extended_Pictographic}(?!\p{Emoji_Modifier})/gu;
const keycap = /([0-9#*])\u20E3/gu;

/**
 * Returns the same text for all reactions that look alike: NFC, with the variation selectors of Unicode's emoji list.
 */
export function canonicalEmoji(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll(variationSelectors, '')
    .replaceAll(textByDefault, '$&\uFE0F')
    .replaceAll(keycap, '$1\uFE0F\u20E3');
}

const joined =
  /(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}])\u200D(?=\p{Extended_Pictographic})/gu;
const regionFlag = /\u{1F3F4}[\u{E0020}-\u{E007E}]{1,32}\u{E007F}/gu;
/** Characters that show nothing, or change the direction of others. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u;
/** A mark is drawn on the character before it, so text must not begin with one. */
const beginsWithMark = /^\p{M}/u;

/**
 * True for a canonical spelling without invisible characters. Refuses names that every object has, such as
 * `constructor`, because reactions are keys of an object.
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
