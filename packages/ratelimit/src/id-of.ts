import { createHash } from 'node:crypto';
import { isNameId } from '@openclaw/key-schema';

const hashed = 'sha256~';

/**
 * Makes an agentId from any text, such as an IPv6 address or an API key: the text itself if it is valid, else its hash.
 */
export function idOf(text: string): string {
  if (isNameId(text) && !text.startsWith(hashed)) return text;
  return hashed + createHash('sha256').update(text).digest('base64url');
}
