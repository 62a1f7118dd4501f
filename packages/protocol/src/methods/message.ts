import { z } from 'zod';
import {
  causeSchema,
  contentSchema,
  emojiSchema,
  mentionsSchema,
  metadataSchema,
  orNull,
  pageParams,
  seqSchema,
  taintSchema,
  timestampSchema,
} from '../fields.ts';
import { clientMessageIdSchema, idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { messageSchema } from '../objects.ts';
import { type MethodDefinition, paramsSchema } from './definition.ts';

const sendResult = z.object({
  messageId: idSchema,
  seq: seqSchema,
  timestamp: timestampSchema,
  duplicate: z.boolean().describe('Was it stored before, under the same clientMessageId?'),
});
const originParams = {
  replyTo: orNull(idSchema).describe(
    'A message of the same channel; it counts as one of the causes.',
  ),
  cause: causeSchema
    .default(() => [])
    .describe('Messages that led to this one; the caller may read them, else not_found.'),
  taint: taintSchema.default(() => []).describe('Added to the labels of the causes.'),
};
const tooManyCauses = { error: `replyTo and cause name over ${limits.causes}`, path: ['cause'] };
const hasFewCauses = ({ replyTo, cause }: { replyTo: string | null; cause: string[] }) =>
  replyTo === null || cause.includes(replyTo) || cause.length < limits.causes;
const changeResult = z.object({ seq: seqSchema.nullable().describe('null: nothing changed.') });
const reactionResult = changeResult.extend({ changed: z.boolean() });
const reactionParams = paramsSchema({
  channelId: idSchema,
  messageId: idSchema,
  emoji: emojiSchema,
});
const before = orNull(seqSchema).describe('Exclusive; not together with after.');
const after = orNull(seqSchema).describe('Exclusive; not together with before.');

/** Messages, direct messages and reactions. */
export const messageMethods = {
  'message.send': {
    summary: 'Sends a message; with threadId, a reply in that thread.',
    params: paramsSchema({
      channelId: idSchema,
      content: contentSchema,
      threadId: orNull(idSchema),
      clientMessageId: orNull(clientMessageIdSchema),
      mentions: mentionsSchema.default(() => []),
      metadata: orNull(metadataSchema),
      ...originParams,
    }).refine(hasFewCauses, tooManyCauses),
    result: sendResult,
    errors: ['archived', 'conflict', 'forbidden', 'not_found', 'too_large'],
  },
  'message.edit': {
    summary: 'Replaces the content of one’s own message; at most limits.edits times.',
    params: paramsSchema({ channelId: idSchema, messageId: idSchema, content: contentSchema }),
    result: changeResult,
    errors: ['archived', 'conflict', 'forbidden', 'not_found', 'too_large'],
  },
  'message.delete': {
    summary: 'Empties one’s own message, or as an owner any; it keeps its place.',
    params: paramsSchema({ channelId: idSchema, messageId: idSchema }),
    result: changeResult,
    errors: ['archived', 'forbidden', 'not_found'],
  },
  'message.history': {
    summary: 'Pages the messages of a channel or thread, oldest first; the newest page by default.',
    params: paramsSchema({
      channelId: idSchema,
      before,
      after,
      threadId: orNull(idSchema),
      limit: pageParams.limit,
    }).refine((params) => params.before === null || params.after === null, {
      error: 'before and after exclude each other',
      path: ['after'],
    }),
    result: z.object({
      messages: z.array(messageSchema),
      head: seqSchema,
      hasMore: z.boolean().describe('In the direction asked.'),
    }),
    errors: ['forbidden', 'not_found'],
  },
  'direct.send': {
    summary: 'Sends a message to one agent, in the direct channel of the two.',
    params: paramsSchema({
      agentId: idSchema,
      content: contentSchema,
      clientMessageId: orNull(clientMessageIdSchema),
      metadata: orNull(metadataSchema),
      ...originParams,
    }).refine(hasFewCauses, tooManyCauses),
    result: sendResult.extend({ channelId: idSchema }),
    errors: ['conflict', 'forbidden', 'not_found', 'too_large'],
  },
  'reaction.add': {
    summary: 'Adds the caller’s reaction to a message.',
    params: reactionParams,
    result: reactionResult,
    errors: ['archived', 'conflict', 'forbidden', 'not_found'],
  },
  'reaction.remove': {
    summary: 'Takes the caller’s reaction back.',
    params: reactionParams,
    result: reactionResult,
    errors: ['archived', 'forbidden', 'not_found'],
  },
} as const satisfies Record<string, MethodDefinition>;
