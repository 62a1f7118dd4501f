import { z } from 'zod';
import { isDurable } from './event-types.ts';
import { channelEventSchema } from './events.ts';
import { senderKindSchema, seqSchema, timestampSchema } from './fields.ts';
import { epochSchema, idSchema } from './ids.ts';

/**
 * The form in which clients and topics get an event. `channelId` equals the `channelId` of the event. `seq` is null
 * only for ephemeral events.
 */
export const envelopeSchema = z
  .object({
    id: idSchema,
    event: channelEventSchema,
    timestamp: timestampSchema,
    senderId: idSchema,
    senderKind: senderKindSchema.nullable().describe('null: not known.'),
    channelId: idSchema.nullable(),
    seq: seqSchema.min(1).nullable(),
    epoch: epochSchema,
  })
  .refine((envelope) => envelope.channelId === envelope.event.channelId, {
    error: 'channelId differs from the event’s',
    path: ['channelId'],
  })
  .refine(
    ({ seq, event }) => {
      const name = event.type === 'collaboration.event' ? event.name : undefined;
      return (seq !== null) === isDurable(event.type, event.channelId, name);
    },
    { error: 'durable events have a seq, and only they do', path: ['seq'] },
  );

export type Envelope = z.infer<typeof envelopeSchema>;
