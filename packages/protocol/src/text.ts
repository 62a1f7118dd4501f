import { limits } from './limits.ts';

// PostgreSQL cannot store NUL, and half a surrogate pair has no UTF-8 form.
const unstorable = /[\0\p{Cs}]/u;
const control = /[\p{Cc}\p{Cs}]/u;

export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair has two units and four bytes, so each half counts as two.
    bytes += unit < 0x800 || (unit & 0xf800) === 0xd800 ? 1 : 2;
  }
  return bytes;
}

/** Counts bytes only if the text's length does not decide. */
export function exceedsBytes(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && utf8Bytes(text) > maxBytes;
}

/** The params schemas do not check this. */
export function isContentTooLarge(content: string): boolean {
  return exceedsBytes(content, limits.contentBytes);
}

/** True for text that every database stores unchanged: well-formed Unicode without U+0000. */
export function isStorableText(text: string): boolean {
  return !unstorable.test(text);
}

/** Storable text of one line, without control characters and not blank. */
export function isLine(text: string): boolean {
  return !control.test(text) && text.trim() !== '';
}

/** The pattern of every id. A colon could make one Redis key equal another, and a brace would change Cluster slots. */
export const idPattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,127}$/;

/** The ids of all direct channels, and of no other channels, begin with this prefix. */
export const directChannelPrefix = 'dm_';

export function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value);
}

export function isDirectChannelId(channelId: string): boolean {
  return channelId.startsWith(directChannelPrefix);
}
