import { z } from 'zod';
import {
  lineSchema,
  maxMessagesSchema,
  metadataSchema,
  orNull,
  pageParams,
  retentionMsSchema,
  textSchema,
} from '../fields.ts';
import { idSchema, newChannelIdSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import {
  channelOrders,
  decodeListCursor,
  listCursorChars,
  type ChannelOrder,
} from '../list-cursor.ts';
import { isId } from '../text.ts';
import { channelKinds, channelSchema, memberSchema } from '../objects.ts';
import { sampleChannel, sampleMember, sampleTimestamp } from '../samples.ts';
import {
  channelPageBytes,
  emptyResult,
  type MethodDefinition,
  paramsSchema,
  read,
  write,
} from './definition.ts';

const tag = 'channels';
const channelId = paramsSchema({ channelId: idSchema });
const channelResult = z.object({ channel: channelSchema });
const example = { params: { channelId: 'ops' }, result: { channel: sampleChannel } };

function isCursorOfOrder(params: { cursor: string | null; order: ChannelOrder | null }): boolean {
  const { cursor, order } = params;
  if (cursor === null) return true;
  return order === null ? isId(cursor) : decodeListCursor(cursor, order) !== null;
}

export const channelMethods = {
  'channel.create': {
    ...write,
    tag,
    summary: 'Creates a channel; the caller becomes its owner and first member.',
    params: paramsSchema({
      name: lineSchema(limits.nameChars),
      channelId: orNull(newChannelIdSchema).describe('Chosen by the hub when absent.'),
      kind: z.enum(['public', 'private']).default('public'),
      topic: orNull(textSchema(limits.topicChars)),
      metadata: orNull(metadataSchema),
      retentionMs: orNull(retentionMsSchema).describe('Trims older events.'),
      maxMessages: orNull(maxMessagesSchema).describe('Trims messages before the newest ones.'),
    }),
    result: channelResult,
    errors: ['conflict', 'forbidden', 'frozen'],
    rest: { verb: 'POST', path: '/channels', status: 201 },
    examples: [
      {
        params: { channelId: 'ops', name: 'Operations', topic: 'Deployments and alerts' },
        result: { channel: { ...sampleChannel, head: 1 } },
      },
    ],
  },
  'channel.get': {
    ...read,
    tag,
    summary: 'Reads a channel.',
    params: channelId,
    result: channelResult,
    errors: ['not_found'],
    rest: { verb: 'GET', path: '/channels/:channelId' },
    examples: [example],
  },
  'channel.update': {
    ...write,
    tag,
    summary:
      'Changes the given fields (name, topic, metadata, retentionMs, maxMessages); null clears one.',
    params: paramsSchema({
      channelId: idSchema,
      name: lineSchema(limits.nameChars).optional(),
      topic: textSchema(limits.topicChars).nullable().optional(),
      metadata: metadataSchema.nullable().optional(),
      retentionMs: retentionMsSchema.nullable().optional(),
      maxMessages: maxMessagesSchema.nullable().optional(),
    }),
    result: channelResult,
    errors: ['archived', 'forbidden', 'frozen', 'not_found'],
    rest: { verb: 'PATCH', path: '/channels/:channelId' },
    examples: [
      {
        params: { channelId: 'ops', topic: null },
        result: { channel: { ...sampleChannel, topic: null, head: 43 } },
      },
    ],
  },
  'channel.archive': {
    ...write,
    tag,
    summary: 'Makes a channel read-only.',
    params: channelId,
    result: channelResult,
    errors: ['forbidden', 'frozen', 'not_found'],
    rest: { verb: 'POST', path: '/channels/:channelId/archive' },
    examples: [
      {
        params: { channelId: 'ops' },
        result: { channel: { ...sampleChannel, archivedAt: sampleTimestamp, head: 43 } },
      },
    ],
  },
  'channel.unarchive': {
    ...write,
    tag,
    summary: 'Makes an archived channel writable again; event channel.update.',
    params: channelId,
    result: channelResult,
    errors: ['forbidden', 'not_found'],
    examples: [
      { params: { channelId: 'ops' }, result: { channel: { ...sampleChannel, head: 43 } } },
    ],
  },
  'channel.delete': {
    ...write,
    tag,
    summary: 'Deletes a channel with everything in it; its id is never used again.',
    params: channelId,
    result: emptyResult,
    errors: ['forbidden', 'frozen', 'not_found'],
    rest: { verb: 'DELETE', path: '/channels/:channelId' },
    examples: [{ params: { channelId: 'ops' }, result: {} }],
  },
  'channel.list': {
    ...read,
    tag,
    orderedBy: null,
    bulky: channelPageBytes,
    summary: 'Lists the channels that the caller may see, by id, by name, or newest first.',
    params: paramsSchema({
      kind: orNull(z.enum(channelKinds)),
      member: orNull(z.boolean()).describe(
        'true: only those the caller is a member of; false: only the others; absent: all.',
      ),
      order: orNull(z.enum(channelOrders)).describe('Absent: by channelId.'),
      cursor: orNull(z.string().max(listCursorChars)),
      limit: pageParams.limit,
    }).refine(isCursorOfOrder, { error: 'not a cursor of this list', path: ['cursor'] }),
    result: z.object({ channels: z.array(channelSchema), nextCursor: z.string().nullable() }),
    errors: [],
    rest: { verb: 'GET', path: '/channels' },
    examples: [
      { params: { member: true }, result: { channels: [sampleChannel], nextCursor: null } },
    ],
  },
  'channel.join': {
    ...write,
    tag,
    summary: 'Makes the caller a member of a public channel.',
    params: channelId,
    result: z.object({ member: memberSchema }),
    errors: ['archived', 'forbidden', 'frozen', 'not_found'],
    rest: { verb: 'POST', path: '/channels/:channelId/join' },
    examples: [
      { params: { channelId: 'ops' }, result: { member: { ...sampleMember, displayName: null } } },
    ],
  },
  'channel.leave': {
    ...write,
    tag,
    summary: 'Ends the caller’s membership; the last owner cannot leave.',
    params: channelId,
    result: emptyResult,
    errors: ['archived', 'conflict', 'forbidden', 'frozen', 'not_found'],
    rest: { verb: 'POST', path: '/channels/:channelId/leave' },
    examples: [{ params: { channelId: 'ops' }, result: {} }],
  },
} as const satisfies Record<string, MethodDefinition>;
