import { limits } from './limits.ts';

// PostgreSQL stores no NUL, and half of a surrogate pair has no UTF-8: either would fail a commit, or come back changed.
const unstorable = /[\0\p{Cs}]/u;
const control = /[\p{Cc}\p{Cs}]/u;
const notInEmoji = /[\p{Cc}\p{Cs}\p{Z}]/u;

/** How many bytes the text takes as UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes: each half counts one more than itself.
    bytes += unit < 0x800 || (unit & 0xf800) === 0xd800 ? 1 : 2;
  }
  return bytes;
}

/** Does the text take more UTF-8 bytes than that? Counts only where the answer is not plain from the length. */
export function exceedsBytes(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && utf8Bytes(text) > maxBytes;
}

/** Is a message's content over `limits.contentBytes`? The params schemas let it pass, so that the answer is `too_large`. */
export function isContentTooLarge(content: string): boolean {
  return exceedsBytes(content, limits.contentBytes);
}

/** Can every store keep the text as it is: well-formed Unicode without U+0000? */
export function isStorableText(text: string): boolean {
  return !unstorable.test(text);
}

/** Is it storable text of one line, without control characters and not blank? */
export function isLine(text: string): boolean {
  return !control.test(text) && text.trim() !== '';
}

/**
 * May it name a reaction? No control characters, no spaces; and since reactions are an object with emoji for keys, no
 * name that every object has.
 */
export function isEmoji(text: string): boolean {
  return text !== '' && !notInEmoji.test(text) && text !== 'prototype' && !(text in {});
}
