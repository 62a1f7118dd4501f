import { z } from 'zod';
import type { EventType } from './event-types.ts';
import { jsonObjectSchema } from './fields.ts';
import { idSchema } from './ids.ts';
import {
  channelSchema,
  memberSchema,
  messageSchema,
  presenceSchema,
  threadSchema,
} from './objects.ts';

const event = <T extends EventType, S extends z.ZodRawShape>(type: T, fields: S) =>
  z.object({ type: z.literal(type), channelId: idSchema, ...fields });

const reaction = { messageId: idSchema, agentId: idSchema, emoji: z.string() };

export const eventSchemas = {
  'channel.message': event('channel.message', { message: messageSchema }),
  'channel.message.edit': event('channel.message.edit', { message: messageSchema }),
  'channel.message.delete': event('channel.message.delete', { message: messageSchema }),
  'channel.reaction.add': event('channel.reaction.add', reaction),
  'channel.reaction.remove': event('channel.reaction.remove', reaction),
  'channel.typing': event('channel.typing', {
    agentId: idSchema,
    typing: z.boolean(),
    threadId: idSchema.nullable(),
  }),
  'channel.presence': event('channel.presence', { presences: z.array(presenceSchema) }),
  'channel.member.join': event('channel.member.join', { member: memberSchema }),
  'channel.member.leave': event('channel.member.leave', { member: memberSchema }),
  'channel.member.update': event('channel.member.update', { member: memberSchema }),
  'channel.update': event('channel.update', { channel: channelSchema }),
  'channel.archive': event('channel.archive', { channel: channelSchema }),
  'channel.delete': event('channel.delete', {}),
  'thread.create': event('thread.create', { thread: threadSchema }),
  'thread.update': event('thread.update', { thread: threadSchema }),
  'thread.message': event('thread.message', { message: messageSchema }),
  // Only events of this type can be global, without a channel.
  'collaboration.event': z.object({
    type: z.literal('collaboration.event'),
    channelId: idSchema.nullable(),
    name: z.string(),
    payload: jsonObjectSchema,
  }),
};

type AnyEventSchema = (typeof eventSchemas)[EventType];

export const channelEventSchema = z.discriminatedUnion(
  'type',
  Object.values(eventSchemas) as [AnyEventSchema, ...AnyEventSchema[]],
);

export type ChannelEvent = z.infer<typeof channelEventSchema>;

export type EventOf<T extends EventType> = Extract<ChannelEvent, { type: T }>;
