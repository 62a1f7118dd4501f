import { isNameId, KeySchemaError, ttlMs } from '@openclaw/key-schema';

/** The cached values of a channel. */
export const viewNames = ['recentMessages', 'channel', 'members'] as const;
export type ViewName = (typeof viewNames)[number];

/** How long each view is kept. */
export const viewTtlMs: Readonly<Record<ViewName, number>> = {
  recentMessages: ttlMs.recentMessages,
  channel: ttlMs.channel,
  members: ttlMs.channelMembers,
};

const recent = ['recentMessages'] as const;
const channel = ['channel'] as const;
const members = ['members'] as const;
const none = [] as const;

const invalidated: Readonly<Record<string, readonly ViewName[]>> = {
  'channel.message': recent,
  'channel.message.edit': recent,
  'channel.message.delete': recent,
  'channel.reaction.add': recent,
  'channel.reaction.remove': recent,
  'thread.create': recent,
  'thread.update': recent,
  'thread.message': recent,
  'channel.member.join': members,
  'channel.member.leave': members,
  'channel.member.update': members,
  'channel.update': channel,
  'channel.archive': channel,
  'channel.delete': viewNames,
  'channel.typing': none,
  'channel.presence': none,
  'collaboration.event': none,
};

/**
 * The views that an event of this type invalidates. An unknown type invalidates all, because a newer process may publish
 * it. A new head alone invalidates nothing, because the head is never read from the cached channel.
 */
export function invalidatedViews(type: string): readonly ViewName[] {
  return Object.hasOwn(invalidated, type) ? (invalidated[type] ?? viewNames) : viewNames;
}

/** @throws {KeySchemaError} `invalid_id` for a channelId that cannot be part of a key. */
export function checkChannelId(channelId: string): void {
  if (isNameId(channelId)) return;
  throw new KeySchemaError('invalid_id', `not a channelId: ${JSON.stringify(channelId)}`);
}
