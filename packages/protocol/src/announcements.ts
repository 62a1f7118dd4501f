import type { EventOf } from './events.ts';

/** The name of the global event that announces a public channel. */
export const channelAnnouncement = 'hub.channel';

export const channelChanges = ['created', 'archived', 'deleted'] as const;

/** The payload of `hub.channel`: a public channel and what changed. */
export interface ChannelAnnouncement {
  readonly channelId: string;
  readonly name: string;
  readonly change: (typeof channelChanges)[number];
}

/** The event that announces a public channel. It is a global event, so no log contains it, and it may be lost. */
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

/** The announcement in an event, or null for any other event. */
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

const reserved = /^(ask|budget|claim|freeze|hub|message|question|turn)\./;

/** True for the names of collaboration events that only the hub emits, so that no agent can forge them. */
export function isReservedName(name: string): boolean {
  return reserved.test(name);
}
