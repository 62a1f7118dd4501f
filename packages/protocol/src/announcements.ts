import type { EventOf } from './events.ts';

export const channelAnnouncement = 'hub.channel';

export const channelChanges = ['created', 'archived', 'deleted'] as const;

export interface ChannelAnnouncement {
  readonly channelId: string;
  readonly name: string;
  readonly change: (typeof channelChanges)[number];
}

/** A global event: no log contains it, and it may be lost. */
export function announcementEvent({
  channelId,
  name,
  change,
}: ChannelAnnouncement): EventOf<'collaboration.event'> {
  return {
    type: 'collaboration.event',
    channelId: null,
    name: channelAnnouncement,
    payload: { channelId, name, change },
  };
}

export function announcementOf(event: {
  readonly type: string;
  readonly channelId: string | null;
  readonly name?: string;
  readonly payload?: unknown;
}): ChannelAnnouncement | null {
  const isAnnouncement =
    event.type === 'collaboration.event' &&
    event.channelId === null &&
    event.name === channelAnnouncement;
  return isAnnouncement ? (event.payload as ChannelAnnouncement) : null;
}

const reservedPrefixes = [
  'ask.',
  'budget.',
  'claim.',
  'freeze.',
  'hub.',
  'message.',
  'question.',
  'turn.',
] as const;

/** Only the hub emits events with these names, so no agent can forge them. */
export function isReservedName(name: string): boolean {
  return reservedPrefixes.some((prefix) => name.startsWith(prefix));
}
