import { z } from 'zod';
import { envelopeSchema } from '../envelope.ts';
import { errorCodes } from '../errors.ts';
import { orNull, seqSchema } from '../fields.ts';
import { epochSchema, idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { emptyResult, type MethodDefinition, paramsSchema } from './definition.ts';

const topicResult = z.union([
  z.object({
    channelId: idSchema,
    head: seqSchema.describe('Live events go on from head+1.'),
    resumed: z.boolean().describe('Are the events all that came after since?'),
    events: z.array(envelopeSchema),
    presencePushed: z.boolean().describe('Does presence come as events, or only by presence.list?'),
  }),
  z.object({ channelId: idSchema, error: z.object({ code: z.enum(errorCodes) }) }),
]);

/** Receiving a channel's events, live and from its log. */
export const subscriptionMethods = {
  subscribe: {
    summary:
      'Subscribes to channels, each from its last seq or from now on; one bad topic fails alone.',
    params: paramsSchema({
      topics: z
        .array(
          paramsSchema({
            channelId: idSchema,
            since: orNull(seqSchema).describe('The last seq received; 0 is from the beginning.'),
          }),
        )
        .max(limits.topics),
      epoch: orNull(epochSchema).describe('The epoch in which the sinces were received.'),
    }),
    result: z.object({ topics: z.array(topicResult) }),
    errors: [],
  },
  unsubscribe: {
    summary:
      'Ends subscriptions; those that are none are passed over. At most limits.topics direct channels stay ended.',
    params: paramsSchema({ channelIds: z.array(idSchema).max(limits.topics) }),
    result: emptyResult,
    errors: ['too_large'],
  },
  'log.read': {
    summary: 'Pages a channel’s log itself; a page may end early, at limits.resumeBytes.',
    params: paramsSchema({
      channelId: idSchema,
      after: seqSchema,
      limit: z.int().min(1).max(limits.logPage).default(limits.logPage),
    }),
    result: z.object({ events: z.array(envelopeSchema), head: seqSchema, hasMore: z.boolean() }),
    errors: ['forbidden', 'not_found'],
  },
} as const satisfies Record<string, MethodDefinition>;
