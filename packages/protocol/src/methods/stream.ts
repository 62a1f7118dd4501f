import { z } from 'zod';
import { mentionsSchema, orNull, seqSchema, textSchema } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { messageMetadataSchema } from '../turn.ts';
import { type MethodDefinition, paramsSchema, write } from './definition.ts';

const tag = 'streams';

const boundedText = `At most ${limits.contentBytes} bytes of UTF-8, else too_large.`;
// The hub limits the length and answers `too_large`, which says more than -32602.
const anyText = textSchema(limits.frameBytes);

const lengthSchema = z.int().min(0).describe('In UTF-16 code units.');
const ofMessage = { channelId: idSchema, messageId: idSchema };
const sample = { channelId: 'ops', messageId: 'm42' };
const errors = ['archived', 'conflict', 'forbidden', 'frozen', 'not_found', 'too_large'] as const;

export const finishedStates = ['complete', 'stopped', 'failed'] as const;

export const streamMethods = {
  'message.append': {
    kind: 'live',
    limit: 'append',
    orderedBy: 'messageId',
    tag,
    summary:
      'Appends to the caller’s own message that grows. Text before its end must be equal; the answer is not durable.',
    params: paramsSchema({
      ...ofMessage,
      from: lengthSchema,
      text: anyText.describe('The message grows to at most limits.contentBytes, else too_large.'),
    }),
    result: z.object({ length: lengthSchema }),
    errors,
    examples: [{ params: { ...sample, from: 0, text: 'Three tests' }, result: { length: 11 } }],
  },
  'message.finish': {
    ...write,
    tag,
    summary:
      'Ends the caller’s own message that grows, with one channel.message.edit that holds all of it. Its mentions count now.',
    params: paramsSchema({
      ...ofMessage,
      state: z.enum(finishedStates),
      length: orNull(lengthSchema).describe(
        'Without content: a text that is shorter is conflict, with length.',
      ),
      content: orNull(anyText).describe(`Replaces the text. ${boundedText}`),
      mentions: orNull(mentionsSchema).describe('Absent: those of the send.'),
      parseMentions: orNull(z.boolean()).describe('As in message.send, for the whole text.'),
      metadata: orNull(messageMetadataSchema).describe('Absent: that of the send.'),
    }),
    result: z.object({ seq: seqSchema }),
    errors,
    examples: [{ params: { ...sample, state: 'complete', length: 24 }, result: { seq: 44 } }],
  },
} as const satisfies Record<string, MethodDefinition>;
