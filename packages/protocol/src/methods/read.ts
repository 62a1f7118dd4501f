import { z } from 'zod';
import { seqSchema } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { emptyResult, type MethodDefinition, paramsSchema } from './definition.ts';

const count = z.int().min(0);

/** How far the caller has read. */
export const readMethods = {
  'read.mark': {
    summary: 'Says that the caller has read a channel up to a seq; it never goes back.',
    params: paramsSchema({ channelId: idSchema, seq: seqSchema }),
    result: emptyResult,
    errors: ['forbidden', 'not_found'],
  },
  'read.state': {
    summary: 'Counts what is unread in each of the caller’s channels, mentions apart.',
    params: paramsSchema({}),
    result: z.object({
      channels: z.array(
        z.object({
          channelId: idSchema,
          seq: seqSchema.describe('Read up to here.'),
          head: seqSchema,
          unread: count,
          mentions: count,
        }),
      ),
    }),
    errors: [],
  },
} as const satisfies Record<string, MethodDefinition>;
