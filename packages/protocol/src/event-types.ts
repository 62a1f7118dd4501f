import { messageDeltaEvent } from './streams.ts';
import { turnStateEvent } from './turn-states.ts';

/** The 17 types of events, in the order of the EPIC. */
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

/** True for the 17 types. */
export function isEventType(value: unknown): value is EventType {
  return known.has(value);
}

/** The names of collaboration events that hubs send in a channel but do not log. */
const ephemeralNames: ReadonlySet<unknown> = new Set([messageDeltaEvent, turnStateEvent]);

/**
 * True if an event of this type is in its channel's log and has a seq. False for typing, presence, collaboration
 * events with an ephemeral name, and events of the global topic, which have no `channelId`.
 */
export function isDurable(type: EventType, channelId?: string | null, name?: unknown): boolean {
  if (type === 'collaboration.event' && ephemeralNames.has(name)) return false;
  return channelId !== null && type !== 'channel.typing' && type !== 'channel.presence';
}
