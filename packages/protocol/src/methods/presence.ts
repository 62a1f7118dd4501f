import { z } from 'zod';
import { lineSchema, nextCursorSchema, orNull, pageParams, presenceStatuses } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { presenceSchema } from '../objects.ts';
import { emptyResult, type MethodDefinition, paramsSchema } from './definition.ts';

const typingParams = paramsSchema({ channelId: idSchema, threadId: orNull(idSchema) });
const degraded = z.boolean().describe('true: Redis is away, and this is what one hub knows.');

/** Who is there and who is typing: kept in Redis, lost without harm. */
export const presenceMethods = {
  'typing.start': {
    summary: 'Says that the caller is typing, for 10 s unless said again.',
    params: typingParams,
    result: emptyResult,
    errors: ['forbidden', 'not_found'],
  },
  'typing.stop': {
    summary: 'Says that the caller stopped typing; a sent message says so too.',
    params: typingParams,
    result: emptyResult,
    errors: ['forbidden', 'not_found'],
  },
  'typing.list': {
    summary:
      'Lists who is typing in a channel; typing is kept by channel, so threadId narrows nothing.',
    params: typingParams,
    result: z.object({ agents: z.array(idSchema), degraded }),
    errors: ['forbidden', 'not_found'],
  },
  'presence.set': {
    summary:
      'States the caller’s whole presence in every subscribed channel; what is absent is emptied.',
    params: paramsSchema({
      status: z.enum(presenceStatuses),
      customStatus: orNull(lineSchema(limits.customStatusChars)),
      avatar: orNull(lineSchema(limits.avatarChars)),
    }),
    result: emptyResult,
    errors: [],
  },
  'presence.list': {
    summary: 'Lists who is present in a channel.',
    params: paramsSchema({ channelId: idSchema, ...pageParams }),
    result: z.object({
      presences: z.array(presenceSchema),
      degraded,
      nextCursor: nextCursorSchema,
    }),
    errors: ['forbidden', 'not_found'],
  },
} as const satisfies Record<string, MethodDefinition>;
