import { z } from 'zod';
import { jsonObjectSchema, orNull, seqSchema } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { decodeInboxCursor, inboxCursorChars } from '../inbox-cursor.ts';
import { inboxReasons } from '../inbox-reasons.ts';
import { limits } from '../limits.ts';
import { messageSchema } from '../objects.ts';
import { sampleMessage } from '../samples.ts';
import { emptyResult, type MethodDefinition, paramsSchema, read, write } from './definition.ts';

const tag = 'inbox';
const cursorSchema = z.string().max(inboxCursorChars);
const cursorParam = cursorSchema.refine((cursor) => decodeInboxCursor(cursor) !== null, {
  error: 'not a cursor of an inbox',
});
const count = z.int().min(0);

const inboxItemSchema = z.object({
  cursor: cursorSchema,
  class: z.enum(['wake', 'notify']).describe('notify: it mentions everyone, and nobody by name.'),
  reason: z.enum(inboxReasons),
  channelId: idSchema,
  seq: seqSchema,
  message: messageSchema
    .nullable()
    .describe('In its present state; null for events without one, and for items with a line.'),
  event: jsonObjectSchema
    .nullable()
    .describe('The payload of a collaboration event, and its name as `name`.'),
  line: z
    .string()
    .nullable()
    .describe(
      `With maxChars, instead of an older message: its sender and beginning, at most ${limits.inboxLineChars} characters.`,
    ),
  askId: idSchema.nullable(),
  questionId: idSchema.nullable(),
  ageMs: z.int().min(0),
});
export type InboxItem = z.infer<typeof inboxItemSchema>;

const sampleCursor = 'ik3v9.2a.0';

export const inboxMethods = {
  'inbox.read': {
    ...read,
    tag,
    orderedBy: null,
    bulky: limits.resumeBytes,
    waits: true,
    summary:
      'Reads what waits for the caller: asks, questions, mentions, direct messages, replies and answers that it has not acknowledged. With waitMs it waits for the first item.',
    params: paramsSchema({
      after: orNull(cursorParam).describe(
        'Reads on from this cursor; absent or of another epoch: from what is not acknowledged.',
      ),
      limit: z.int().min(1).max(limits.historyPage).default(limits.defaultPage),
      maxChars: orNull(z.int().min(1).max(limits.inboxChars)).describe(
        'The most characters of content, metadata, payloads and lines: the newest items come whole as far as they fit, older ones as a line, the rest is counted.',
      ),
      waitMs: z
        .int()
        .min(0)
        .max(limits.waitMs)
        .default(0)
        .describe('While there is no item, the answer waits this long for one.'),
      agentId: orNull(idSchema).describe('For admins: the agent whose inbox is read.'),
    }),
    result: z.object({
      items: z.array(inboxItemSchema).describe('By seq within a channel.'),
      omitted: z
        .object({
          count,
          channels: z.array(z.object({ channelId: idSchema, count })),
          after: cursorSchema
            .nullable()
            .describe('Read after it to get what was left out; null when nothing was.'),
        })
        .describe(
          `Left out because of maxChars and limit, or fallen out of an inbox with over ${limits.inboxItems} items.`,
        ),
      cursor: cursorSchema,
      hasMore: z.boolean(),
    }),
    errors: ['forbidden'],
    examples: [
      {
        params: { limit: 1 },
        result: {
          items: [
            {
              ...{ cursor: sampleCursor, class: 'wake', reason: 'mention', channelId: 'ops' },
              ...{ seq: 42, message: sampleMessage, event: null, line: null },
              ...{ askId: null, questionId: null, ageMs: 1_250 },
            },
          ],
          omitted: { count: 0, channels: [], after: null },
          cursor: sampleCursor,
          hasMore: false,
        },
      },
    ],
  },
  'inbox.ack': {
    ...write,
    tag,
    limit: 'read',
    orderedBy: null,
    summary:
      'Removes from the caller’s inbox what the read that answered the cursor could see, up to the cursor.',
    params: paramsSchema({ cursor: cursorParam }),
    result: emptyResult,
    errors: [],
    examples: [{ params: { cursor: sampleCursor }, result: {} }],
  },
} as const satisfies Record<string, MethodDefinition>;
