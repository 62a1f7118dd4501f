import { z } from 'zod';
import { lineSchema, nextCursorSchema, orNull, pageParams } from '../fields.ts';
import { clientMessageIdSchema, idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { threadSchema } from '../objects.ts';
import { type MethodDefinition, paramsSchema } from './definition.ts';

const title = lineSchema(limits.titleChars);
const threadResult = z.object({ thread: threadSchema });

/** Threads that carry a title; replying needs none. */
export const threadMethods = {
  'thread.create': {
    summary: 'Makes a message the root of a titled thread.',
    params: paramsSchema({
      channelId: idSchema,
      messageId: idSchema,
      title: orNull(title),
      clientMessageId: orNull(clientMessageIdSchema),
    }),
    result: threadResult,
    errors: ['archived', 'conflict', 'forbidden', 'not_found'],
  },
  'thread.update': {
    summary: 'Changes a thread’s title; null empties.',
    params: paramsSchema({
      channelId: idSchema,
      threadId: idSchema,
      title: title.nullable(),
    }),
    result: threadResult,
    errors: ['archived', 'forbidden', 'not_found'],
  },
  'thread.list': {
    summary: 'Lists a channel’s threads.',
    params: paramsSchema({ channelId: idSchema, ...pageParams }),
    result: z.object({ threads: z.array(threadSchema), nextCursor: nextCursorSchema }),
    errors: ['forbidden', 'not_found'],
  },
} as const satisfies Record<string, MethodDefinition>;
