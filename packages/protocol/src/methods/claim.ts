import { z } from 'zod';
import { timestampSchema } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { sampleTimestamp } from '../samples.ts';
import { type MethodDefinition, paramsSchema, write } from './definition.ts';

const tag = 'claims';
const ofThread = {
  channelId: idSchema,
  threadId: idSchema.describe('A message that is no reply.'),
};

/** A claim's number, which rises by one within a thread. */
export const fenceSchema = z.int().min(1);

const result = z.object({ fence: fenceSchema, untilMs: timestampSchema });
const sampleParams = { channelId: 'ops', threadId: 'm42' };
const sampleResult = { fence: 1, untilMs: sampleTimestamp + 60_000 };
const errors = ['archived', 'conflict', 'forbidden', 'frozen', 'not_found'] as const;

export const claimMethods = {
  claim: {
    ...write,
    tag,
    summary:
      'Takes a thread, or extends the caller’s claim; held by another: conflict with holder.',
    params: paramsSchema({
      ...ofThread,
      leaseMs: z.int().min(1_000).max(600_000),
    }),
    result,
    errors,
    examples: [{ params: { ...sampleParams, leaseMs: 60_000 }, result: sampleResult }],
  },
  'claim.release': {
    ...write,
    tag,
    summary: 'Ends the caller’s claim of a thread.',
    params: paramsSchema(ofThread),
    result,
    errors,
    examples: [{ params: sampleParams, result: { ...sampleResult, untilMs: sampleTimestamp } }],
  },
} as const satisfies Record<string, MethodDefinition>;
