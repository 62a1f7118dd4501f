import { z } from 'zod';
import { lineSchema, nextCursorSchema, orNull, pageParams, presenceStatuses } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { presenceSchema } from '../objects.ts';
import { samplePresence } from '../samples.ts';
import { emptyResult, type MethodDefinition, paramsSchema, smallPageBytes } from './definition.ts';

const typing = { kind: 'live', limit: 'typing', orderedBy: 'channelId', tag: 'typing' } as const;
const typingParams = paramsSchema({ channelId: idSchema, threadId: orNull(idSchema) });
const typingPath = '/channels/:channelId/typing';
const degraded = z.boolean().describe('true: Redis is away, and this is what one hub knows.');

export const presenceMethods = {
  'typing.start': {
    ...typing,
    summary:
      'Shows the caller as typing in the channel, or in a thread of it, for 10 s or until a stop.',
    params: typingParams,
    result: emptyResult,
    errors: ['forbidden', 'frozen', 'not_found'],
    rest: { verb: 'POST', path: typingPath },
    examples: [{ params: { channelId: 'ops' }, result: {} }],
  },
  'typing.stop': {
    ...typing,
    summary: 'Ends the caller’s typing there; sending a message there ends it too.',
    params: typingParams,
    result: emptyResult,
    errors: ['forbidden', 'frozen', 'not_found'],
    rest: { verb: 'DELETE', path: typingPath },
    examples: [{ params: { channelId: 'ops' }, result: {} }],
  },
  'typing.list': {
    ...typing,
    limit: 'read',
    summary:
      'Lists the agents that are typing anywhere in a channel; with threadId only those in the thread.',
    params: typingParams,
    result: z.object({ agents: z.array(idSchema), degraded }),
    errors: ['forbidden', 'not_found'],
    rest: { verb: 'GET', path: typingPath },
    examples: [{ params: { channelId: 'ops' }, result: { agents: ['ben'], degraded: false } }],
  },
  'presence.set': {
    kind: 'socket',
    limit: 'typing',
    orderedBy: null,
    tag: 'presence',
    summary:
      'Sets the caller’s whole presence in every subscribed channel; an absent param clears its field.',
    params: paramsSchema({
      status: z.enum(presenceStatuses),
      customStatus: orNull(lineSchema(limits.customStatusChars)),
      avatar: orNull(lineSchema(limits.avatarChars)),
    }),
    result: emptyResult,
    errors: [],
    examples: [{ params: { status: 'away', customStatus: 'In a meeting' }, result: {} }],
  },
  'presence.list': {
    kind: 'live',
    limit: 'read',
    orderedBy: 'channelId',
    tag: 'presence',
    bulky: smallPageBytes,
    summary: 'Lists the agents that are present in a channel.',
    params: paramsSchema({ channelId: idSchema, ...pageParams }),
    result: z.object({
      presences: z.array(presenceSchema),
      degraded,
      nextCursor: nextCursorSchema,
    }),
    errors: ['forbidden', 'not_found'],
    rest: { verb: 'GET', path: '/channels/:channelId/presence' },
    examples: [
      {
        params: { channelId: 'ops' },
        result: { presences: [samplePresence], degraded: false, nextCursor: null },
      },
    ],
  },
} as const satisfies Record<string, MethodDefinition>;
