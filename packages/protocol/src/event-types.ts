import { messageDeltaEvent } from './streams.ts';
import { turnStateEvent } from './turn-states.ts';

/** In the order of the EPIC. */
export const eventTypes = [
  'channel.message',
  'channel.message.edit',
  'channel.message.delete',
  'channel.reaction.add',
  'channel.reaction.remove',
  'channel.typing',
  'channel.presence',
  'channel.member.join',
  'channel.member.leave',
  'channel.member.update',
  'channel.update',
  'channel.archive',
  'channel.delete',
  'thread.create',
  'thread.update',
  'thread.message',
  'collaboration.event',
] as const;

export type EventType = (typeof eventTypes)[number];

const known: ReadonlySet<unknown> = new Set(eventTypes);

export function isEventType(value: unknown): value is EventType {
  return known.has(value);
}

/** Collaboration events that hubs send in a channel but do not log. */
const ephemeralNames: ReadonlySet<unknown> = new Set([messageDeltaEvent, turnStateEvent]);

/**
 * True if the event is in its channel's log and has a seq. False for typing, presence, ephemeral names, and global
 * events, which have no `channelId`.
 */
export function isDurable(type: EventType, channelId?: string | null, name?: unknown): boolean {
  if (type === 'collaboration.event' && ephemeralNames.has(name)) return false;
  return channelId !== null && type !== 'channel.typing' && type !== 'channel.presence';
}
