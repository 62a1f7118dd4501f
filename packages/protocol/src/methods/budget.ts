import { z } from 'zod';
import { orNull, timestampSchema } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { type MethodDefinition, paramsSchema, read, write } from './definition.ts';

const tag = 'budgets';
const figure = z.int().min(0).max(limits.budgetTurns).nullable();
const ofPlace = {
  channelId: idSchema,
  threadId: orNull(idSchema).describe('A message that is no reply; absent: outside threads.'),
};
const result = z.object({
  agentTurns: figure.describe('The limit in force; 0: none, null: the hub’s default.'),
  perMinute: figure,
  used: z.int().min(0).describe('Messages of agents since the last one of a person.'),
  pausedUntilMs: timestampSchema
    .nullable()
    .describe('null: no pause, or one that only a person ends, at used = agentTurns.'),
});
const sampleParams = { channelId: 'ops', threadId: 'm42' };
const sampleResult = { agentTurns: 12, perMinute: null, used: 3, pausedUntilMs: null };

export const budgetMethods = {
  'budget.set': {
    ...write,
    tag,
    summary:
      'Limits the messages of agents between two of persons, in a channel outside its threads or in a thread; null clears a figure.',
    params: paramsSchema({
      ...ofPlace,
      agentTurns: figure.optional().describe('In a row; 0: no limit.'),
      perMinute: figure.optional(),
    }),
    result,
    errors: ['archived', 'forbidden', 'frozen', 'not_found'],
    examples: [{ params: { ...sampleParams, agentTurns: 12 }, result: sampleResult }],
  },
  'budget.get': {
    ...read,
    tag,
    summary: 'Reads the budget in force in a place, and what agents have used of it.',
    params: paramsSchema(ofPlace),
    result,
    errors: ['forbidden', 'not_found'],
    examples: [{ params: sampleParams, result: sampleResult }],
  },
} as const satisfies Record<string, MethodDefinition>;
