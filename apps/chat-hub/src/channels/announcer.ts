import {
  announcementEvent,
  announcementOf,
  decodeEnvelope,
  type ChannelAnnouncement,
  type EncodedEnvelope,
  type EventOf,
} from '@openclaw/protocol';
import type { Identity } from '../edge/identity.ts';

/**
 * The average rate, and the most announcements at once after a quiet time. Each announcement goes
 * to every socket of every hub.
 */
const perSecondMax = 20;
const burstMax = 200;

/**
 * Announces that public channels were created, archived or deleted. Announcements beyond the rate
 * are dropped, so that an agent that creates thousands of channels does not flood every socket.
 * `channel.list` has the complete list.
 */
export function createAnnouncer(deps: {
  readonly publish: (event: EventOf<'collaboration.event'>, sender: Identity) => void;
  readonly onDropped: () => void;
  /** @default performance.now */
  readonly clock?: () => number;
}) {
  const { publish, onDropped, clock = () => performance.now() } = deps;
  let left = burstMax;
  let countedMs = clock();

  return function announce(announcement: ChannelAnnouncement, sender: Identity): void {
    const nowMs = clock();
    left = Math.min(burstMax, left + ((nowMs - countedMs) * perSecondMax) / 1_000);
    countedMs = nowMs;
    if (left < 1) return onDropped();
    left -= 1;
    publish(announcementEvent(announcement), sender);
  };
}

/** The channel that a global event announces; null for any other event. */
export function announcedChannel({ json }: EncodedEnvelope): string | null {
  const decoded = decodeEnvelope(json);
  return decoded && (announcementOf(decoded.envelope.event)?.channelId ?? null);
}
