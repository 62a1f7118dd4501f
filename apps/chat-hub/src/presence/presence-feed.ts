import { randomUUID } from 'node:crypto';
import type { PresenceTracker, PresenceRecord } from '@openclaw/presence';
import {
  encodeEnvelope,
  limits,
  type EncodedEnvelope,
  type EventOf,
  type ParamsOf,
  type ResultOf,
} from '@openclaw/protocol';
import type { Logger } from 'pino';
import { narrowedPresence } from './filter-presence.ts';
import { presenceTimes, type PresenceTimes } from './presence-times.ts';
import type { KindOf, Publisher } from '../channels/publisher.ts';
import type { Room } from '../channels/room.ts';
import type { Rooms } from '../channels/rooms.ts';
import { createRosterWatch } from './roster-watch.ts';
import type { Session } from '../sockets/session.ts';

/** Presence as the hub's sockets see it: subscribing makes present, changes come as conflated events. */
export interface PresenceFeed {
  /**
   * A socket is about to subscribe to the room. Resolves when this hub knows how many are present, over all hubs, or
   * cannot know it soon.
   */
  opened(room: Room): Promise<void>;
  /** The socket subscribed to the room. Returns whether the room's presence is pushed. */
  entered(session: Session, room: Room): boolean;
  left(session: Session, room: Room): void;
  /** The socket is closed: it leaves all its channels. */
  gone(session: Session): void;
  /** What the agent says of itself, for every channel of this connection. */
  set(session: Session, state: ParamsOf<'presence.set'>): Promise<void>;
  list(channelId: string, cursor: string | null, limit: number): Promise<ResultOf<'presence.list'>>;
  /** A presence event of any hub came by. Returns what of it to pass on to the room; null if all of it is outdated. */
  saw(event: EncodedEnvelope): EncodedEnvelope | null;
  /** Events may have been lost: the rosters are compared with what was told. */
  resubscribed(): void;
  /** Redis went or came: what was decided without it, or by another one, is timed by another clock. */
  availabilityChanged(isDegraded: boolean): void;
  /** Ends this hub's leases and sends what that changes. */
  close(): Promise<void>;
}

export interface PresenceFeedDeps {
  readonly hubId: string;
  readonly tracker: PresenceTracker;
  readonly publisher: Pick<Publisher, 'ephemeral'>;
  readonly rooms: Pick<Rooms, 'get'>;
  readonly epoch: () => string;
  readonly kindOf: KindOf;
  /** Answers true when every living hub can write to Redis. @default never known */
  readonly isWhole?: () => Promise<boolean>;
  readonly log: Logger;
  /** @default presenceTimes */
  readonly times?: PresenceTimes;
}

/** A channel's changes go out at most this often; those between share an envelope. */
const conflateMs = 50;
const recordsPerEnvelope = 100;
/** Channels whose changes are published in one turn of the event loop: one socket may enter a thousand at once. */
const channelsPerTurn = 50;

/** Creates the feed over the presence package's tracker. */
export function createPresenceFeed({
  hubId,
  tracker,
  publisher,
  rooms,
  epoch,
  kindOf,
  isWhole,
  log,
  times = presenceTimes,
}: PresenceFeedDeps): PresenceFeed {
  let changed = new Map<string, Map<string, PresenceRecord>>();
  /** Changes that are being published, some channels a turn. */
  let outgoing = new Map<string, Map<string, PresenceRecord>>();
  let timer: NodeJS.Timeout | undefined;
  let publishedMs = -Infinity;

  const watch = createRosterWatch(
    {
      readPage: (channelId, cursor) =>
        tracker.list(channelId, { cursor, limit: limits.historyPage, unreaped: true }),
      isLive: (channelId) => (rooms.get(channelId)?.members.size ?? 0) > 0,
      agentsHere: (channelId) =>
        new Set([...(rooms.get(channelId)?.members ?? [])].map(({ agentId }) => agentId)),
      onDifference(channelId, records) {
        // Each hub finds out for its own sockets, so nothing is published.
        for (const { event, senderId } of eventsOf(channelId, records)) {
          const difference = encodeEnvelope({
            id: randomUUID(),
            event,
            timestamp: Date.now(),
            senderId,
            senderKind: kindOf(senderId),
            channelId,
            seq: null,
            epoch: epoch(),
          });
          rooms.get(channelId)?.broadcast(difference);
        }
      },
      ...(isWhole && { isWhole }),
      onError: (error) => log.warn({ err: error }, 'a roster could not be compared'),
    },
    times,
  );

  const off = tracker.onChange((channelId, record) => {
    // A crowd's comings and goings would cost more than its messages: such a channel is listed, not pushed.
    if (watch.view(channelId)?.isCrowded) return;
    const records = changed.get(channelId);
    if (records) records.set(record.agentId, record);
    else changed.set(channelId, new Map([[record.agentId, record]]));
    schedule();
  });

  const offWiped = tracker.onWiped(() => watch.wiped());

  function publish(): void {
    timer = undefined;
    if (outgoing.size === 0) {
      publishedMs = performance.now();
      [outgoing, changed] = [changed, outgoing];
    }
    let published = 0;
    for (const [channelId, byAgent] of outgoing) {
      if (published === channelsPerTurn) break;
      published += 1;
      outgoing.delete(channelId);
      // Another hub's later decision may have come while this waited.
      const view = watch.view(channelId);
      const records = [...byAgent.values()].filter((record) => !view?.isOutdated(record));
      for (const { event, senderId } of eventsOf(channelId, records)) {
        publisher.ephemeral(event, senderId);
      }
    }
    if (outgoing.size > 0) timer = setTimeout(publish, 0);
    else if (changed.size > 0) schedule();
  }

  function schedule(): void {
    timer ??= setTimeout(publish, Math.max(0, publishedMs + conflateMs - performance.now()));
  }

  function eventsOf(
    channelId: string,
    records: readonly PresenceRecord[],
  ): { event: EventOf<'channel.presence'>; senderId: string }[] {
    const events = [];
    for (let start = 0; start < records.length; start += recordsPerEnvelope) {
      const presences = records.slice(start, start + recordsPerEnvelope);
      const [first] = presences;
      const senderId = presences.length === 1 && first ? first.agentId : hubId;
      events.push({ event: { type: 'channel.presence' as const, channelId, presences }, senderId });
    }
    return events;
  }

  const failed = (error: unknown) => log.warn({ err: error }, 'presence could not be changed');

  return {
    opened({ channelId }) {
      watch.follow(channelId);
      return watch.ready(channelId);
    },
    entered(session, { channelId }) {
      const view = watch.follow(channelId);
      tracker.track(channelId, connectionOf(session)).catch(failed);
      return !view.isCrowded;
    },
    left(session, room) {
      tracker.untrack(room.channelId, connectionOf(session)).catch(failed);
    },
    gone(session) {
      tracker.untrackAll(connectionOf(session)).catch(failed);
    },
    async set(session, { status, customStatus, avatar }) {
      session.presence = { status, customStatus, avatar, atMs: Date.now() };
      await tracker.set(connectionOf(session), { status, customStatus, avatar });
    },
    async list(channelId, cursor, limit) {
      const { presences, nextCursor, degraded } = await tracker.list(channelId, { cursor, limit });
      if (!degraded) watch.view(channelId)?.listed(presences);
      return { presences: [...presences], nextCursor, degraded };
    },
    saw(event) {
      const view = event.channelId === null ? undefined : watch.view(event.channelId);
      return view ? narrowedPresence(event, (presences) => view.saw(presences)) : event;
    },
    resubscribed() {
      watch.forgetTimes();
      watch.distrust();
    },
    availabilityChanged(isDegraded) {
      watch.forgetTimes();
      // Others may not have written their leases again yet.
      if (!isDegraded) watch.distrust();
    },
    async close() {
      watch.close();
      await tracker.close();
      while (outgoing.size + changed.size > 0) {
        clearTimeout(timer);
        publish();
      }
      clearTimeout(timer);
      off();
      offWiped();
    },
  };
}

function connectionOf({ agentId, sessionId }: Session): { agentId: string; sessionId: string } {
  return { agentId, sessionId };
}
