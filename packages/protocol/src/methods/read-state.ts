import { z } from 'zod';
import { seqSchema } from '../fields.ts';
import { idSchema } from '../ids.ts';
import {
  emptyResult,
  type MethodDefinition,
  paramsSchema,
  read,
  readStateBytes,
  write,
} from './definition.ts';

const tag = 'read state';
const count = z.int().min(0);

export const readMethods = {
  'read.mark': {
    ...write,
    tag,
    limit: 'read',
    summary: 'Marks a channel as read up to a seq; the mark goes back only with back.',
    params: paramsSchema({
      channelId: idSchema,
      seq: seqSchema,
      back: z
        .boolean()
        .default(false)
        .describe('True: the mark may go back, which makes later messages unread.'),
    }),
    result: emptyResult,
    errors: ['forbidden', 'not_found'],
    examples: [{ params: { channelId: 'ops', seq: 42 }, result: {} }],
  },
  'read.state': {
    ...read,
    tag,
    orderedBy: null,
    bulky: readStateBytes,
    summary: 'Counts unread messages and mentions in each of the caller’s channels.',
    params: paramsSchema({}),
    result: z.object({
      channels: z.array(
        z.object({
          channelId: idSchema,
          seq: seqSchema.describe('Read up to here.'),
          head: seqSchema,
          unread: count,
          mentions: count,
        }),
      ),
    }),
    errors: [],
    examples: [
      {
        params: {},
        result: {
          channels: [{ channelId: 'ops', seq: 40, head: 42, unread: 2, mentions: 1 }],
        },
      },
    ],
  },
} as const satisfies Record<string, MethodDefinition>;
