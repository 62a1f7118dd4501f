import { z } from 'zod';
import {
  contentSchema,
  idsSchema,
  mentionsSchema,
  nextCursorSchema,
  orNull,
  pageParams,
  textSchema,
  timestampSchema,
} from '../fields.ts';
import { clientMessageIdSchema, idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { sampleTimestamp } from '../samples.ts';
import { messageMetadataSchema } from '../turn.ts';
import { type MethodDefinition, paramsSchema, read, sendResult, write } from './definition.ts';

const tag = 'asks';

export const askStates = ['open', 'accepted', 'declined', 'done', 'expired'] as const;
export type AskState = (typeof askStates)[number];
export const askRoles = ['to', 'from'] as const;

const askSchema = z.object({
  askId: idSchema.describe('The id of its message.'),
  channelId: idSchema,
  from: idSchema,
  deadlineMs: timestampSchema,
  addressees: z.array(
    z.object({ agentId: idSchema, state: z.enum(askStates), note: z.string().nullable() }),
  ),
});

/** A request, sent as a message, that the named agents should accept, decline or finish before a deadline. */
export type Ask = z.infer<typeof askSchema>;

const deliverySchema = z.object({
  agentId: idSchema,
  state: z.enum(['live', 'away']).describe('live: it has a connection, or waits for its inbox.'),
});

const answerParams = paramsSchema({ askId: idSchema, note: orNull(textSchema(limits.noteChars)) });
const askResult = z.object({ ask: askSchema });
const change = { ...write, tag, orderedBy: null, params: answerParams, result: askResult } as const;
const errors = ['archived', 'conflict', 'forbidden', 'frozen', 'not_found'] as const;

const sampleAsk = (state: AskState, note: string | null): Ask => ({
  ...{ askId: 'm42', channelId: 'ops', from: 'ana', deadlineMs: sampleTimestamp + 60_000 },
  addressees: [{ agentId: 'ben', state, note }],
});
const sampleAnswer = (state: AskState, note: string | null) => ({
  params: { askId: 'm42', ...(note !== null && { note }) },
  result: { ask: sampleAsk(state, note) },
});

export const askMethods = {
  'ask.create': {
    ...write,
    tag,
    orderedBy: 'channelId or agentId',
    summary:
      'Sends a message that names agents, with a deadline; without an answer of each, ask.expired names the silent ones.',
    params: paramsSchema({
      channelId: orNull(idSchema).describe('Without it, agentId names the one who is asked.'),
      agentId: orNull(idSchema).describe('The ask goes to the direct channel with this agent.'),
      to: idsSchema(limits.askAddressees)
        .default(() => [])
        .describe('Members of the channel; not with agentId.'),
      content: contentSchema,
      deadlineMs: z.int().min(1_000).max(limits.deadlineMs).describe('From now, by the database.'),
      threadId: orNull(idSchema),
      clientMessageId: orNull(clientMessageIdSchema),
      mentions: mentionsSchema.default(() => []),
      metadata: orNull(messageMetadataSchema),
    })
      .refine(({ channelId, agentId }) => (channelId === null) !== (agentId === null), {
        error: 'either channelId or agentId',
        path: ['channelId'],
      })
      .refine(({ channelId, to }) => (channelId === null) === (to.length === 0), {
        error: 'with channelId at least one agent, with agentId none',
        path: ['to'],
      })
      .refine(
        ({ agentId, threadId, mentions }) =>
          agentId === null || (threadId === null && mentions.length === 0),
        { error: 'not with agentId', path: ['threadId'] },
      ),
    result: sendResult.extend({
      channelId: idSchema,
      askId: idSchema.describe('The messageId.'),
      deliveries: z.array(deliverySchema).describe('As of now, also for a repeat.'),
      degraded: z.boolean().describe('True: only the connections of this hub are known.'),
    }),
    errors: [...errors, 'paused', 'too_large'],
    examples: [
      {
        params: { channelId: 'ops', to: ['ben'], content: 'Roll back 1.4.0', deadlineMs: 60_000 },
        result: {
          ...{ messageId: 'm42', seq: 42, timestamp: sampleTimestamp, duplicate: false },
          ...{ unreached: [], channelId: 'ops', askId: 'm42' },
          deliveries: [{ agentId: 'ben', state: 'live' }],
          degraded: false,
        },
      },
    ],
  },
  'ask.accept': {
    ...change,
    summary:
      'Accepts an ask addressed to the caller, before its deadline; a reply to it accepts too. The first note stays.',
    errors,
    examples: [sampleAnswer('accepted', 'on it')],
  },
  'ask.decline': {
    ...change,
    summary: 'Declines an ask addressed to the caller, before its deadline.',
    errors,
    examples: [sampleAnswer('declined', 'I may not deploy')],
  },
  'ask.done': {
    ...change,
    summary:
      'Says that an ask is done: at any time after accepting it in time, else before its deadline.',
    errors,
    examples: [sampleAnswer('done', null)],
  },
  'ask.list': {
    ...read,
    tag,
    orderedBy: null,
    bulky: limits.resumeBytes,
    summary: 'Lists the asks to and from the caller in its channels, newest first.',
    params: paramsSchema({
      state: orNull(z.enum(askStates)).describe(
        'Of the caller as an addressee; of any addressee of its own asks.',
      ),
      role: orNull(z.enum(askRoles)),
      channelId: orNull(idSchema),
      ...pageParams,
    }),
    result: z.object({ asks: z.array(askSchema), nextCursor: nextCursorSchema }),
    errors: ['forbidden', 'not_found'],
    examples: [
      {
        params: { role: 'to', state: 'open' },
        result: { asks: [sampleAsk('open', null)], nextCursor: null },
      },
    ],
  },
} as const satisfies Record<string, MethodDefinition>;
