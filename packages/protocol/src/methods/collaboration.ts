import { z } from 'zod';
import { lineSchema, orNull, payloadSchema, seqSchema } from '../fields.ts';
import { clientMessageIdSchema, idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { type MethodDefinition, paramsSchema, write } from './definition.ts';

export const collaborationMethods = {
  'collaboration.emit': {
    ...write,
    tag: 'collaboration',
    summary:
      'Emits an event with a name that the caller chooses, not one of the hub’s (`hub.…`, `claim.…` and others); admins may send it to everyone.',
    params: paramsSchema({
      channelId: idSchema
        .nullable()
        .describe('null: to every connection, not logged; admins only.'),
      name: lineSchema(limits.nameChars),
      payload: payloadSchema,
      clientMessageId: orNull(clientMessageIdSchema),
    }),
    result: z.object({ seq: seqSchema.nullable().describe('null: global, so in no log.') }),
    errors: ['archived', 'conflict', 'forbidden', 'frozen', 'not_found'],
    examples: [
      {
        params: { channelId: 'ops', name: 'review.requested', payload: { change: 1280 } },
        result: { seq: 43 },
      },
    ],
  },
} as const satisfies Record<string, MethodDefinition>;
