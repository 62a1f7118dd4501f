import { createHash } from 'node:crypto';
import { isNameId } from '@openclaw/key-schema';

const hashed = 'sha256~';

/**
 * An id for any text to limit by, such as an IPv6 address, an email address or an API key: the text itself if it can be
 * part of a Redis key, else its hash.
 */
export function idOf(text: string): string {
  if (isNameId(text) && !text.startsWith(hashed)) return text;
  return hashed + createHash('sha256').update(text).digest('base64url');
}
