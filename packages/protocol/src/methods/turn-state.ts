import { z } from 'zod';
import { lineSchema, orNull, timestampSchema } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { sampleTimestamp } from '../samples.ts';
import { activeTurnStates, turnStates } from '../turn-states.ts';
import { emptyResult, type MethodDefinition, paramsSchema, smallPageBytes } from './definition.ts';

const tag = 'turns';
const errors = ['forbidden', 'not_found'] as const;
const queueDepthSchema = z.int().min(0).max(limits.queueDepth);

/** Turns are in Redis, and may be lost without harm. */
export const turnStateMethods = {
  'turn.set': {
    kind: 'live',
    limit: 'typing',
    orderedBy: 'channelId',
    tag,
    summary:
      'Shows what the caller is doing in the channel, or in a thread of it, for 30 s, until it is repeated, or until idle.',
    params: paramsSchema({
      channelId: idSchema,
      threadId: orNull(idSchema),
      state: z.enum(turnStates),
      label: orNull(lineSchema(limits.turnLabelChars)),
      queueDepth: orNull(queueDepthSchema),
    }),
    result: emptyResult,
    errors: [...errors, 'archived', 'frozen'],
    examples: [
      { params: { channelId: 'ops', state: 'tool', label: 'Runs the tests' }, result: {} },
    ],
  },
  'turn.list': {
    kind: 'live',
    limit: 'read',
    orderedBy: 'channelId',
    tag,
    bulky: smallPageBytes,
    summary: 'Lists what the agents of a channel are doing; at most 500, those that end last.',
    params: paramsSchema({ channelId: idSchema }),
    result: z.object({
      turns: z.array(
        z.object({
          agentId: idSchema,
          threadId: idSchema.nullable(),
          state: z.enum(activeTurnStates),
          label: z.string().nullable(),
          queueDepth: z.number().nullable(),
          untilMs: timestampSchema,
        }),
      ),
      degraded: z.boolean().describe('true: Redis is away, and this is what one hub knows.'),
    }),
    errors,
    examples: [
      {
        params: { channelId: 'ops' },
        result: {
          turns: [
            {
              agentId: 'ben',
              threadId: null,
              state: 'thinking',
              label: null,
              queueDepth: 2,
              untilMs: sampleTimestamp + 30_000,
            },
          ],
          degraded: false,
        },
      },
    ],
  },
} as const satisfies Record<string, MethodDefinition>;
