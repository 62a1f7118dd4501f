import { z } from 'zod';
import { idPattern, isDirectChannelId } from './text.ts';
import { limits } from './limits.ts';

export const idSchema = z.string().regex(idPattern);

/** Only the hub creates direct channels. */
export const newChannelIdSchema = idSchema.refine((id) => !isDirectChannelId(id), {
  error: 'ids that begin with dm_ are reserved for the hub',
});

/** The sender's own id of a write, unique per channel and sender: printable ASCII. */
export const clientMessageIdSchema = z
  .string()
  .max(limits.clientMessageIdChars)
  .regex(/^[ -~]+$/);

/** The database's identity, which a restore changes. */
export const epochSchema = z.string().min(1).max(limits.epochChars);
