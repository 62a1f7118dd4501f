import { z } from 'zod';
import { lineSchema, nextCursorSchema, orNull, pageParams, seqSchema } from '../fields.ts';
import { clientMessageIdSchema, idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { decodeThreadCursor } from '../list-cursor.ts';
import { threadSchema } from '../objects.ts';
import { sampleThread } from '../samples.ts';
import { type MethodDefinition, paramsSchema, read, smallPageBytes, write } from './definition.ts';

const tag = 'threads';
const title = lineSchema(limits.titleChars);
const threadResult = z.object({ thread: threadSchema });

function isThreadCursor({ cursor }: { readonly cursor: string | null }): boolean {
  return cursor === null || decodeThreadCursor(cursor) !== null;
}

/** These methods list threads and give them titles. A reply begins its thread without any of them. */
export const threadMethods = {
  'thread.create': {
    ...write,
    tag,
    summary: 'Makes a message the root of a titled thread.',
    params: paramsSchema({
      channelId: idSchema,
      messageId: idSchema,
      title: orNull(title),
      clientMessageId: orNull(clientMessageIdSchema),
    }),
    result: threadResult,
    errors: ['archived', 'conflict', 'forbidden', 'frozen', 'not_found'],
    examples: [
      {
        params: { channelId: 'ops', messageId: 'm42', title: 'Release 1.4.0' },
        result: { thread: sampleThread },
      },
    ],
  },
  'thread.update': {
    ...write,
    tag,
    summary: 'Changes a thread’s title; null clears.',
    params: paramsSchema({
      channelId: idSchema,
      threadId: idSchema,
      title: title.nullable(),
    }),
    result: threadResult,
    errors: ['archived', 'forbidden', 'frozen', 'not_found'],
    examples: [
      {
        params: { channelId: 'ops', threadId: 'm42', title: null },
        result: { thread: { ...sampleThread, title: null } },
      },
    ],
  },
  'thread.list': {
    ...read,
    tag,
    bulky: smallPageBytes,
    summary: 'Lists a channel’s threads, those with the latest activity first.',
    params: paramsSchema({ channelId: idSchema, ...pageParams }).refine(isThreadCursor, {
      error: 'not a cursor of this list',
      path: ['cursor'],
    }),
    result: z.object({
      threads: z.array(threadSchema),
      head: seqSchema,
      nextCursor: nextCursorSchema,
    }),
    errors: ['forbidden', 'not_found'],
    examples: [
      {
        params: { channelId: 'ops' },
        result: { threads: [sampleThread], head: 42, nextCursor: null },
      },
    ],
  },
} as const satisfies Record<string, MethodDefinition>;
