import { isStorableText } from '@openclaw/protocol';
import { z } from 'zod';

export const wholeNumber = (max: number) => z.coerce.number().int().min(1).max(max);

export const storable = z
  .string()
  .refine(isStorableText, { error: 'with U+0000 or half a surrogate pair' });
