import type { Connection, PresenceTracker, PresenceRecord } from '@openclaw/presence';
import {
  limits,
  type EncodedEnvelope,
  type EventOf,
  type ParamsOf,
  type ResultOf,
} from '@openclaw/protocol';
import type { Logger } from 'pino';
import { filterPresence, type EncodeEphemeral } from '../channels/ephemeral.ts';
import type { Publisher } from '../channels/publisher.ts';
import type { Room } from '../channels/room.ts';
import type { Rooms } from '../channels/rooms.ts';
import { createRosterWatch, presenceTimes, type PresenceTimes } from './roster-watch.ts';
import type { Session } from '../sockets/session.ts';
import { isConnectionsRoster } from './connected-agents.ts';

export type SetState = ParamsOf<'presence.set'> & { readonly atMs: number };

const conflateMs = 50;
const recordsPerEnvelope = 100;
/** Bounds the work of one turn, because one socket may enter a thousand channels at once. */
const channelsPerTurn = 50;

type ChangedRecords = Map<string, Map<string, PresenceRecord>>;

/**
 * Connects the presence tracker with this hub's sockets. A member is present after subscribing. Changes within 50 ms
 * are published together.
 */
export function createPresenceFeed(deps: {
  readonly hubId: string;
  readonly tracker: PresenceTracker;
  readonly publisher: Pick<Publisher, 'publishEphemeral'>;
  readonly rooms: Pick<Rooms, 'get'>;
  readonly encodeEphemeral: EncodeEphemeral;
  /** Resolves with true when every living hub can write to Redis. @default false */
  readonly canAllHubsWrite?: () => Promise<boolean>;
  readonly log: Logger;
  readonly times?: PresenceTimes;
}) {
  const { hubId, tracker, publisher, rooms, encodeEphemeral, canAllHubsWrite, log } = deps;
  let changed: ChangedRecords = new Map();
  let outgoing: ChangedRecords = new Map();
  const states = new WeakMap<Session, SetState>();
  let timer: NodeJS.Timeout | undefined;
  let publishedMs = -Infinity;

  const watch = createRosterWatch(
    {
      readPage: (channelId, cursor) =>
        tracker.list(channelId, { cursor, limit: limits.historyPage, unreaped: true }),
      isLive: (channelId) => (rooms.get(channelId)?.members.size ?? 0) > 0,
      localAgentIds: (channelId) =>
        new Set([...(rooms.get(channelId)?.members ?? [])].map(({ agentId }) => agentId)),
      onDifference(channelId, records) {
        // Every hub compares the rosters for its own sockets, so nothing is published.
        for (const { event, senderId } of eventsOf(channelId, records)) {
          rooms.get(channelId)?.broadcast(encodeEphemeral(event, senderId));
        }
      },
      ...(canAllHubsWrite && { canAllHubsWrite }),
      onError: (error) => log.warn({ err: error }, 'a roster could not be compared'),
    },
    deps.times ?? presenceTimes,
  );

  const offChange = tracker.onChange((channelId, record) => {
    if (isConnectionsRoster(channelId)) return;
    // Past the push limit, presence events would cost more than messages.
    if (watch.view(channelId)?.isOverPushLimit) return;
    const records = changed.get(channelId);
    if (records) records.set(record.agentId, record);
    else changed.set(channelId, new Map([[record.agentId, record]]));
    schedule();
  });

  const offWiped = tracker.onWiped(() => watch.onRedisWiped());

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
      // During the wait, another hub may have published newer records.
      const view = watch.view(channelId);
      const records = [...byAgent.values()].filter((record) => !view?.isOutdated(record));
      for (const { event, senderId } of eventsOf(channelId, records)) {
        publisher.publishEphemeral(event, senderId);
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

  const logFailure = (error: unknown) => log.warn({ err: error }, 'presence could not be changed');

  return {
    /** Call it before a socket subscribes. Resolves when the number of present agents is known, or after 250 ms. */
    prepare({ channelId }: Room) {
      watch.follow(channelId);
      return watch.ready(channelId);
    },
    /**
     * Call it when the socket has subscribed to the room. Returns true if the room's presence is pushed. An observer
     * receives presence, but is not shown as present.
     */
    enter(session: Session, { channelId }: Room, as: 'member' | 'observer') {
      const view = watch.follow(channelId);
      if (as === 'member') tracker.track(channelId, connectionOf(session)).catch(logFailure);
      return !view.isOverPushLimit;
    },
    /** Call it when an agent with a socket in the room has become a member. */
    joined(session: Session, { channelId }: Room) {
      tracker.track(channelId, connectionOf(session)).catch(logFailure);
    },
    leave(session: Session, room: Room) {
      tracker.untrack(room.channelId, connectionOf(session)).catch(logFailure);
    },
    /** Resolves when the socket has left all its channels; never rejects. */
    disconnect(session: Session): Promise<void> {
      return tracker.untrackAll(connectionOf(session)).catch(logFailure);
    },
    async set(session: Session, { status, customStatus, avatar }: ParamsOf<'presence.set'>) {
      states.set(session, { status, customStatus, avatar, atMs: Date.now() });
      await tracker.set(connectionOf(session), { status, customStatus, avatar });
    },
    stateOf: (session: Session) => states.get(session) ?? null,
    async list(
      channelId: string,
      cursor: string | null,
      limit: number,
    ): Promise<ResultOf<'presence.list'>> {
      const { presences, nextCursor, degraded } = await tracker.list(channelId, { cursor, limit });
      if (!degraded) watch.view(channelId)?.addListed(presences);
      return { presences: [...presences], nextCursor, degraded };
    },
    /** Applies a presence event of any hub. Returns the event without outdated records, or null if all are outdated. */
    filterEvent(event: EncodedEnvelope): EncodedEnvelope | null {
      const view = event.channelId === null ? undefined : watch.view(event.channelId);
      return view ? filterPresence(event, (presences) => view.applyEvent(presences)) : event;
    },
    /** Call it when events may have been lost. Compares the rosters with the state that the sockets know. */
    onResubscribed() {
      watch.onClockChanged();
      watch.onEventsLost();
    },
    /** Call it when Redis becomes unavailable or available, because later times may come from another clock. */
    onAvailability(isDegraded: boolean) {
      watch.onClockChanged();
      // Other hubs may not have restored their leases in Redis yet, so no agent is reported offline for a while.
      if (!isDegraded) watch.onEventsLost();
    },
    /** Ends this hub's leases and publishes that their agents are offline. */
    async close() {
      watch.close();
      await tracker.close();
      while (outgoing.size + changed.size > 0) {
        clearTimeout(timer);
        publish();
      }
      clearTimeout(timer);
      offChange();
      offWiped();
    },
  };
}

export type PresenceFeed = ReturnType<typeof createPresenceFeed>;

const connectionOf = ({ agentId, sessionId }: Session): Connection => ({ agentId, sessionId });
