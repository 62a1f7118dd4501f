import { type ViewName, viewNames } from './store.ts';

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
 * The views that an event of this type invalidates. An unknown type invalidates all, because a newer process may
 * publish it. A new head alone invalidates nothing, because no reader takes the head from the cached channel.
 */
export function invalidatedViews(type: string): readonly ViewName[] {
  return Object.hasOwn(invalidated, type) ? (invalidated[type] ?? viewNames) : viewNames;
}
