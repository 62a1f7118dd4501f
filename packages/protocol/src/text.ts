import { limits } from './limits.ts';

// PostgreSQL cannot store NUL, and half a surrogate pair has no UTF-8 form. NUL would make a commit fail, and half a
// pair would change the text.
const unstorable = /[\0\p{Cs}]/u;
const control = /[\p{Cc}\p{Cs}]/u;

export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair has two units and four bytes. Each half therefore counts as two bytes.
    bytes += unit < 0x800 || (unit & 0xf800) === 0xd800 ? 1 : 2;
  }
  return bytes;
}

/**
 * True if the text has more than `maxBytes` UTF-8 bytes. Counts them only if the length of the text does not decide.
 */
export function exceedsBytes(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && utf8Bytes(text) > maxBytes;
}

/** True for content over `limits.contentBytes`; the params schemas do not check it. */
export function isContentTooLarge(content: string): boolean {
  return exceedsBytes(content, limits.contentBytes);
}

/** True for well-formed Unicode without U+0000: every database stores it unchanged. */
export function isStorableText(text: string): boolean {
  return !unstorable.test(text);
}

/** True for storable text of one line, without control characters and not blank. */
export function isLine(text: string): boolean {
  return !control.test(text) && text.trim() !== '';
}

/**
 * The pattern of channelId, agentId, sessionId, messageId and threadId. A colon could make one Redis key equal another,
 * and a brace would change Cluster slots; neither is allowed, nor are spaces and slashes.
 */
export const idPattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,127}$/;

/** The prefix of the channelIds of direct channels, which only the hub creates. */
export const directChannelPrefix = 'dm_';

/** True for a string that matches {@link idPattern}. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value);
}

export function isDirectChannelId(channelId: string): boolean {
  return channelId.startsWith(directChannelPrefix);
}
