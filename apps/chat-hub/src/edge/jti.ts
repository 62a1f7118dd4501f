import { isStorableText } from '@openclaw/protocol';
import { z } from 'zod';

/** A token's own id (RFC 7519 §4.1.7): any text that every store can keep. */
export const jtiSchema = z
  .string()
  .max(128)
  .refine(isStorableText, { error: 'with U+0000 or half a surrogate pair' });
