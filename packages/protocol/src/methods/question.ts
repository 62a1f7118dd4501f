import { z } from 'zod';
import {
  idsSchema,
  lineSchema,
  nextCursorSchema,
  orNull,
  pageParams,
  seqSchema,
  textSchema,
  timestampSchema,
} from '../fields.ts';
import { clientMessageIdSchema, idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { sampleTimestamp } from '../samples.ts';
import { type MethodDefinition, paramsSchema, read, write } from './definition.ts';

const tag = 'questions';

export const questionStates = ['open', 'answered', 'expired', 'cancelled'] as const;
export type QuestionState = (typeof questionStates)[number];

const questionSchema = z.object({
  questionId: idSchema,
  channelId: idSchema,
  threadId: idSchema.nullable(),
  openedBy: idSchema,
  title: z.string(),
  options: z
    .array(z.object({ id: idSchema, label: z.string() }))
    .describe('Empty: a text is asked for.'),
  responders: z.array(idSchema).nullable().describe('null: every person in the channel.'),
  quorum: z.int().min(1).describe('The equal answers that end it.'),
  expiresMs: timestampSchema.nullable(),
  state: z.enum(questionStates),
  optionId: idSchema.nullable().describe('The option that won.'),
  text: z.string().nullable(),
  answers: z.array(
    z.object({
      agentId: idSchema,
      optionId: idSchema.nullable(),
      text: z.string().nullable(),
      atMs: timestampSchema,
    }),
  ),
});

/** Persons, or the named responders, answer it. The first option with enough answers wins. */
export type Question = z.infer<typeof questionSchema>;

const questionResult = z.object({ question: questionSchema });
const byId = { ...write, tag, orderedBy: null, result: questionResult } as const;
const errors = ['archived', 'conflict', 'forbidden', 'frozen', 'not_found'] as const;

const options = [
  { id: 'yes', label: 'Deploy' },
  { id: 'no', label: 'Wait' },
];
const sampleQuestion: Question = {
  ...{ questionId: 'q1', channelId: 'ops', threadId: null, openedBy: 'ana' },
  ...{ title: 'Deploy 1.4.1?', options, responders: null, quorum: 1 },
  ...{ expiresMs: sampleTimestamp + 600_000, state: 'open', optionId: null, text: null },
  answers: [],
};
const answered: Question = {
  ...{ ...sampleQuestion, state: 'answered', optionId: 'yes' },
  answers: [{ agentId: 'pia', optionId: 'yes', text: null, atMs: sampleTimestamp }],
};

function areDistinct(given: readonly { readonly id: string }[]): boolean {
  return new Set(given.map(({ id }) => id)).size === given.length;
}

export const questionMethods = {
  'question.open': {
    ...write,
    tag,
    summary:
      'Asks the persons of a channel, or named responders, for one of some options, or without options for a text.',
    params: paramsSchema({
      channelId: idSchema,
      threadId: orNull(idSchema).describe('A message that is no reply.'),
      title: lineSchema(limits.titleChars),
      options: z
        .array(paramsSchema({ id: idSchema, label: lineSchema(limits.nameChars) }))
        .max(limits.options)
        .refine(areDistinct, { error: 'two options have the same id' })
        .default(() => []),
      responders: idsSchema(limits.askAddressees)
        .default(() => [])
        .describe('Members, at least as many as the quorum; empty: every person.'),
      quorum: z.int().min(1).max(limits.askAddressees).default(1),
      expiresMs: orNull(z.int().min(1_000).max(limits.deadlineMs)).describe(
        'From now; absent: never. An expiry is no answer, not a refusal.',
      ),
      clientMessageId: orNull(clientMessageIdSchema),
    })
      .refine((params) => params.options.length > 0 || params.quorum === 1, {
        error: 'is 1 for a text',
        path: ['quorum'],
      })
      .refine(({ responders, quorum }) => responders.length === 0 || responders.length >= quorum, {
        error: 'are fewer than the quorum',
        path: ['responders'],
      }),
    result: z.object({ questionId: idSchema, seq: seqSchema, duplicate: z.boolean() }),
    errors,
    examples: [
      {
        params: { channelId: 'ops', title: 'Deploy 1.4.1?', options, expiresMs: 600_000 },
        result: { questionId: 'q1', seq: 43, duplicate: false },
      },
    ],
  },
  'question.answer': {
    ...byId,
    summary:
      'Answers an open question, or changes the caller’s answer; after its end: conflict with question.',
    params: paramsSchema({
      questionId: idSchema,
      optionId: orNull(idSchema),
      text: orNull(textSchema(limits.answerChars).min(1)).describe('Where there are no options.'),
    }).refine(({ optionId, text }) => (optionId === null) !== (text === null), {
      error: 'either optionId or text',
      path: ['optionId'],
    }),
    errors,
    examples: [{ params: { questionId: 'q1', optionId: 'yes' }, result: { question: answered } }],
  },
  'question.cancel': {
    ...byId,
    summary: 'Ends an open question; for its opener and for owners.',
    params: paramsSchema({ questionId: idSchema }),
    errors,
    examples: [
      {
        params: { questionId: 'q1' },
        result: { question: { ...sampleQuestion, state: 'cancelled' } },
      },
    ],
  },
  'question.list': {
    ...read,
    tag,
    orderedBy: null,
    bulky: limits.resumeBytes,
    summary: 'Lists the questions in the caller’s channels, an admin’s in all, newest first.',
    params: paramsSchema({
      channelId: orNull(idSchema),
      state: orNull(z.enum(questionStates)),
      ...pageParams,
    }),
    result: z.object({ questions: z.array(questionSchema), nextCursor: nextCursorSchema }),
    errors: ['forbidden', 'not_found'],
    examples: [
      {
        params: { channelId: 'ops', state: 'open' },
        result: { questions: [sampleQuestion], nextCursor: null },
      },
    ],
  },
} as const satisfies Record<string, MethodDefinition>;
