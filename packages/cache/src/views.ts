import { ttlMs } from '@openclaw/key-schema';

/** The three things that are cached of a channel. */
export const viewNames = ['recentMessages', 'channel', 'members'] as const;
/** One of {@link viewNames}. */
export type ViewName = (typeof viewNames)[number];

/** How long each view is kept, as the EPIC sets it. */
export const viewTtlMs: Readonly<Record<ViewName, number>> = {
  recentMessages: ttlMs.recentMessages,
  channel: ttlMs.channel,
  members: ttlMs.channelMembers,
};

const recent = ['recentMessages'] as const;
const channel = ['channel'] as const;
const members = ['members'] as const;
const none = [] as const;

const outdated: Readonly<Record<string, readonly ViewName[]>> = {
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
 * Which views an event of this type outdates. A type that is not known outdates all: a newer process may publish what
 * an older one cannot name. The channel's `head` rises with every event and outdates nothing, since it is never taken
 * from the cached object.
 */
export function invalidatedViews(type: string): readonly ViewName[] {
  return Object.hasOwn(outdated, type) ? (outdated[type] ?? viewNames) : viewNames;
}
