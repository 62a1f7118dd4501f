import { z } from 'zod';
import { envelopeSchema } from '../envelope.ts';
import {
  causeSchema,
  contentSchema,
  emojiSchema,
  floorSchema,
  mentionsSchema,
  orNull,
  pageParams,
  seqSchema,
  taintSchema,
  textSchema,
} from '../fields.ts';
import { clientMessageIdSchema, idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { messageSchema } from '../objects.ts';
import { sampleEnvelope, sampleMessage, sampleTimestamp } from '../samples.ts';
import { messageMetadataSchema } from '../turn.ts';
import { fenceSchema } from './claim.ts';
import {
  type MethodDefinition,
  paramsSchema,
  read,
  sendResult,
  smallPageBytes,
  write,
} from './definition.ts';

const tag = 'messages';
const streamParams = {
  content: textSchema(limits.frameBytes).describe(
    `At most ${limits.contentBytes} bytes of UTF-8, else too_large. Not empty, unless stream is true.`,
  ),
  stream: z
    .boolean()
    .default(false)
    .describe('The message grows by message.append until message.finish.'),
};
const lackingContent = { error: 'empty, and no stream', path: ['content'] };
const hasContent = ({ content, stream }: { content: string; stream: boolean }) =>
  stream || content !== '';
const mentionParams = {
  parseMentions: orNull(z.boolean()).describe(
    'Does @ in the content mention members, and @all everyone? Absent: over REST yes, over WebSocket no.',
  ),
};
const originParams = {
  replyTo: orNull(idSchema).describe(
    'A message of the same channel; it counts as one of the causes.',
  ),
  cause: causeSchema
    .default(() => [])
    .describe('Messages that led to this one; the caller may read them, else not_found.'),
  taint: taintSchema.default(() => []).describe('Added to the labels of the causes.'),
};
const basedOn = orNull(seqSchema).describe(
  'The last seq that the sender has seen. If others wrote since, the answer is superseded.',
);
const fence = orNull(fenceSchema).describe(
  'The newest fence of the thread’s claims, else conflict; needs threadId.',
);
/** The answer to a send with `basedOn` may be a `superseded` refusal with the newer messages. */
const supersededBytes = (params: { readonly basedOn: number | null }): number =>
  params.basedOn === null ? 0 : 262_144;
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

const sent = {
  ...{ messageId: 'm42', seq: 42, timestamp: sampleTimestamp, duplicate: false },
  unreached: [],
};
const ofMessage = { channelId: 'ops', messageId: 'm42' };
const reaction = { params: { ...ofMessage, emoji: '👍' }, result: { seq: 43, changed: true } };

export const messageMethods = {
  'message.send': {
    ...write,
    tag,
    bulky: supersededBytes,
    summary: 'Sends a message; with threadId, a reply in that thread.',
    params: paramsSchema({
      channelId: idSchema,
      ...streamParams,
      threadId: orNull(idSchema),
      clientMessageId: orNull(clientMessageIdSchema),
      mentions: mentionsSchema.default(() => []),
      ...mentionParams,
      metadata: orNull(messageMetadataSchema),
      ...originParams,
      basedOn,
      fence,
    })
      .refine(hasFewCauses, tooManyCauses)
      .refine(hasContent, lackingContent)
      .refine((params) => params.fence === null || params.threadId !== null, {
        error: 'fence needs threadId',
        path: ['fence'],
      }),
    result: sendResult,
    errors: [
      'archived',
      'conflict',
      'forbidden',
      'frozen',
      'not_found',
      'paused',
      'superseded',
      'too_large',
    ],
    rest: { verb: 'POST', path: '/channels/:channelId/messages', status: 201 },
    examples: [
      {
        params: {
          channelId: 'ops',
          content: 'Deployed 1.4.0',
          mentions: ['ben'],
          clientMessageId: 'deploy-1.4.0',
        },
        result: sent,
      },
    ],
  },
  'message.edit': {
    ...write,
    tag,
    summary: 'Replaces the content of the caller’s own message; at most limits.edits times.',
    params: paramsSchema({ channelId: idSchema, messageId: idSchema, content: contentSchema }),
    result: changeResult,
    errors: ['archived', 'conflict', 'forbidden', 'frozen', 'not_found', 'too_large'],
    rest: { verb: 'PATCH', path: '/channels/:channelId/messages/:messageId' },
    examples: [{ params: { ...ofMessage, content: 'Deployed 1.4.1' }, result: { seq: 43 } }],
  },
  'message.delete': {
    ...write,
    tag,
    summary: 'Empties the caller’s own message, or as an owner any message; it keeps its place.',
    params: paramsSchema({ channelId: idSchema, messageId: idSchema }),
    result: changeResult,
    errors: ['archived', 'forbidden', 'frozen', 'not_found'],
    rest: { verb: 'DELETE', path: '/channels/:channelId/messages/:messageId' },
    examples: [{ params: ofMessage, result: { seq: 43 } }],
  },
  'message.get': {
    ...read,
    tag,
    bulky: smallPageBytes,
    summary: 'Reads one message; a deleted one is empty, a trimmed one is not found.',
    params: paramsSchema({ channelId: idSchema, messageId: idSchema }),
    result: z.object({ message: messageSchema }),
    errors: ['forbidden', 'not_found'],
    rest: { verb: 'GET', path: '/channels/:channelId/messages/:messageId' },
    examples: [{ params: ofMessage, result: { message: sampleMessage } }],
  },
  'message.history': {
    ...read,
    tag,
    bulky: limits.resumeBytes,
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
      hasMore: z.boolean().describe('In the direction of the page.'),
    }),
    errors: ['forbidden', 'not_found'],
    rest: { verb: 'GET', path: '/channels/:channelId/messages' },
    examples: [
      {
        params: { channelId: 'ops', before: 43, limit: 1 },
        result: { messages: [sampleMessage], head: 42, hasMore: true },
      },
    ],
  },
  'log.read': {
    ...read,
    tag,
    bulky: limits.resumeBytes,
    waits: true,
    summary:
      'Pages a channel’s log itself, from its floor on; a page may end early, at limits.resumeBytes. With waitMs it waits for an event after the head.',
    params: paramsSchema({
      channelId: idSchema,
      after: seqSchema,
      limit: z.int().min(1).max(limits.logPage).default(limits.logPage),
      waitMs: z
        .int()
        .min(0)
        .max(limits.waitMs)
        .default(0)
        .describe('While nothing is after `after`, the answer waits this long for an event.'),
    }),
    result: z.object({
      events: z.array(envelopeSchema),
      head: seqSchema,
      floor: floorSchema,
      hasMore: z.boolean(),
    }),
    errors: ['forbidden', 'not_found'],
    rest: { verb: 'GET', path: '/channels/:channelId/log' },
    examples: [
      {
        params: { channelId: 'ops', after: 41 },
        result: { events: [sampleEnvelope], head: 42, floor: 1, hasMore: false },
      },
    ],
  },
  'direct.send': {
    ...write,
    tag,
    orderedBy: 'agentId',
    bulky: supersededBytes,
    summary: 'Sends a message to one agent, in the direct channel of the two.',
    params: paramsSchema({
      agentId: idSchema,
      ...streamParams,
      clientMessageId: orNull(clientMessageIdSchema),
      ...mentionParams,
      metadata: orNull(messageMetadataSchema),
      ...originParams,
      basedOn,
    })
      .refine(hasFewCauses, tooManyCauses)
      .refine(hasContent, lackingContent),
    result: sendResult.extend({ channelId: idSchema }),
    errors: ['conflict', 'forbidden', 'frozen', 'not_found', 'paused', 'superseded', 'too_large'],
    rest: { verb: 'POST', path: '/direct/:agentId', status: 201 },
    examples: [
      {
        params: { agentId: 'ben', content: 'Can you check the rollout?' },
        result: { ...sent, seq: 1, channelId: 'dm_aed233a62143a9403e4ccaa9cfac669c' },
      },
    ],
  },
  'reaction.add': {
    ...write,
    tag,
    limit: 'reaction',
    summary: 'Adds the caller’s reaction to a message.',
    params: reactionParams,
    result: reactionResult,
    errors: ['archived', 'conflict', 'forbidden', 'frozen', 'not_found'],
    examples: [reaction],
  },
  'reaction.remove': {
    ...write,
    tag,
    limit: 'reaction',
    summary: 'Removes the caller’s reaction.',
    params: reactionParams,
    result: reactionResult,
    errors: ['archived', 'forbidden', 'frozen', 'not_found'],
    examples: [reaction],
  },
} as const satisfies Record<string, MethodDefinition>;
