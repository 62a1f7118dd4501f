import { z } from 'zod';
import {
  lineSchema,
  metadataSchema,
  nextCursorSchema,
  orNull,
  pageParams,
  textSchema,
} from '../fields.ts';
import { idSchema, newChannelIdSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { channelKinds, channelSchema, memberSchema } from '../objects.ts';
import { emptyResult, type MethodDefinition, paramsSchema } from './definition.ts';

const channelId = paramsSchema({ channelId: idSchema });
const channelResult = z.object({ channel: channelSchema });

/** Channels, and the caller's own joining and leaving. */
export const channelMethods = {
  'channel.create': {
    summary: 'Makes a channel, of which the caller is the owner and first member.',
    params: paramsSchema({
      name: lineSchema(limits.nameChars),
      channelId: orNull(newChannelIdSchema).describe('Made by the hub when absent.'),
      kind: z.enum(['public', 'private']).default('public'),
      topic: orNull(textSchema(limits.topicChars)),
      metadata: orNull(metadataSchema),
    }),
    result: channelResult,
    errors: ['conflict', 'forbidden'],
  },
  'channel.get': {
    summary: 'Reads a channel.',
    params: channelId,
    result: channelResult,
    errors: ['not_found'],
  },
  'channel.update': {
    summary: 'Changes what is given of name, topic and metadata; null empties.',
    params: paramsSchema({
      channelId: idSchema,
      name: lineSchema(limits.nameChars).optional(),
      topic: textSchema(limits.topicChars).nullable().optional(),
      metadata: metadataSchema.nullable().optional(),
    }),
    result: channelResult,
    errors: ['archived', 'forbidden', 'not_found'],
  },
  'channel.archive': {
    summary: 'Makes a channel read-only, for good.',
    params: channelId,
    result: channelResult,
    errors: ['forbidden', 'not_found'],
  },
  'channel.delete': {
    summary: 'Deletes a channel with all it holds; its id is never used again.',
    params: channelId,
    result: emptyResult,
    errors: ['forbidden', 'not_found'],
  },
  'channel.list': {
    summary: 'Lists the channels that the caller may see.',
    params: paramsSchema({
      kind: orNull(z.enum(channelKinds)),
      member: orNull(z.boolean()).describe(
        'true: only those the caller is a member of; false: only the others; absent: all.',
      ),
      ...pageParams,
    }),
    result: z.object({ channels: z.array(channelSchema), nextCursor: nextCursorSchema }),
    errors: [],
  },
  'channel.join': {
    summary: 'Makes the caller a member of a public channel.',
    params: channelId,
    result: z.object({ member: memberSchema }),
    errors: ['archived', 'forbidden', 'not_found'],
  },
  'channel.leave': {
    summary: 'Ends the caller’s membership; the last owner cannot leave.',
    params: channelId,
    result: emptyResult,
    errors: ['archived', 'conflict', 'forbidden', 'not_found'],
  },
} as const satisfies Record<string, MethodDefinition>;
