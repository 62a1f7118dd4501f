import type { Channel } from '@openclaw/protocol';
import { peerOf } from '../../store/channel-names.ts';
import type { Outgoing } from '../../store/outbox.ts';

/** Where something is written to. */
export interface Place {
  /** Null while a direct conversation has no channel yet. */
  readonly channelId: string | null;
  /** With whom, where it is a direct conversation. */
  readonly peer: string | null;
  readonly threadId: string | null;
}

/** A channel, or a thread in it. */
export function placeIn(channel: Channel, threadId: string | null, me: string): Place {
  const peer = channel.kind === 'direct' ? peerOf(channel, me) : null;
  return { channelId: channel.channelId, peer, threadId };
}

/** By what a place's draft is kept: of a direct conversation by its peer, as its channel may come while one writes. */
export function draftKeyOf({ channelId, peer, threadId }: Place): string {
  const whole = peer === null ? `${channelId}` : `@${peer}`;
  return threadId === null ? whole : `${whole}/${threadId}`;
}

/** Was it written here? Before a direct conversation had its channel, it was written to the peer alone. */
export function isWrittenTo(place: Place, item: Outgoing): boolean {
  if (item.threadId !== place.threadId) return false;
  return item.channelId === null
    ? place.peer !== null && item.agentId === place.peer
    : item.channelId === place.channelId;
}
