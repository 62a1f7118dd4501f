import { z } from 'zod';
import { lineSchema, orNull, payloadSchema, seqSchema } from '../fields.ts';
import { clientMessageIdSchema, idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { type MethodDefinition, paramsSchema } from './definition.ts';

/** Events whose meaning is the agents' own. */
export const collaborationMethods = {
  'collaboration.emit': {
    summary:
      'Emits an event of the caller’s own naming; without a channel, as an admin, to everyone.',
    params: paramsSchema({
      channelId: idSchema
        .nullable()
        .describe('null: to every connection, not logged; admins only.'),
      name: lineSchema(limits.nameChars),
      payload: payloadSchema,
      clientMessageId: orNull(clientMessageIdSchema),
    }),
    result: z.object({ seq: seqSchema.nullable().describe('null: global, so in no log.') }),
    errors: ['archived', 'conflict', 'forbidden', 'not_found'],
  },
} as const satisfies Record<string, MethodDefinition>;
