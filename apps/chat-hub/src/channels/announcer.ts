import {
  announcementEvent,
  announcementOf,
  decodeEnvelope,
  type ChannelAnnouncement,
  type EncodedEnvelope,
  type EventOf,
} from '@openclaw/protocol';
import type { Identity } from '../edge/identity.ts';

/** Each announcement goes to every socket of every hub, so the rate is low. */
const perSecondMax = 20;
const burstMax = 200;

/** Announcements beyond the rate are dropped; `channel.list` has the complete list. */
export function createAnnouncer(deps: {
  readonly publish: (event: EventOf<'collaboration.event'>, sender: Identity) => void;
  readonly onDropped: () => void;
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

export function announcedChannel({ json }: EncodedEnvelope): string | null {
  const decoded = decodeEnvelope(json);
  return decoded && (announcementOf(decoded.envelope.event)?.channelId ?? null);
}
