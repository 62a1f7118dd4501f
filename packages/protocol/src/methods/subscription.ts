import { z } from 'zod';
import { envelopeSchema } from '../envelope.ts';
import { errorCodes } from '../errors.ts';
import { floorSchema, orNull, seqSchema } from '../fields.ts';
import { epochSchema, idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { sampleEnvelope } from '../samples.ts';
import { emptyResult, type MethodDefinition, paramsSchema } from './definition.ts';

const socket = { kind: 'socket', limit: 'read', tag: 'subscriptions' } as const;

const topicResult = z.union([
  z.object({
    channelId: idSchema,
    head: seqSchema.describe('Live events continue from head+1.'),
    floor: floorSchema,
    resumed: z.boolean().describe('True: events holds every event after since.'),
    events: z.array(envelopeSchema),
    presencePushed: z
      .boolean()
      .describe('True: presence arrives as events. False: only presence.list shows it.'),
  }),
  z.object({ channelId: idSchema, error: z.object({ code: z.enum(errorCodes) }) }),
]);

/** Without `since`, the answer contains no events. */
function subscribeBytes(params: { topics: readonly { since: number | null }[] }): number {
  return params.topics.every(({ since }) => since === null) ? 0 : limits.resumeBytes;
}

export const subscriptionMethods = {
  subscribe: {
    ...socket,
    orderedBy: 'topics',
    bulky: subscribeBytes,
    summary:
      'Subscribes to channels, each from its last seq or from now on; a bad topic does not affect the others.',
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
    examples: [
      {
        params: {
          topics: [{ channelId: 'ops', since: 41 }, { channelId: 'secret' }],
          epoch: 'k3v9',
        },
        result: {
          topics: [
            {
              channelId: 'ops',
              head: 42,
              floor: 1,
              resumed: true,
              events: [sampleEnvelope],
              presencePushed: true,
            },
            { channelId: 'secret', error: { code: 'not_found' } },
          ],
        },
      },
    ],
  },
  unsubscribe: {
    ...socket,
    orderedBy: 'channelIds',
    summary:
      'Ends subscriptions; unknown ones are ignored. At most limits.topics direct channels stay ended.',
    params: paramsSchema({ channelIds: z.array(idSchema).max(limits.topics) }),
    result: emptyResult,
    errors: ['too_large'],
    examples: [{ params: { channelIds: ['ops'] }, result: {} }],
  },
} as const satisfies Record<string, MethodDefinition>;
