import type { PresenceTracker, PresenceRecord } from '@openclaw/presence';
import { limits, type ParamsOf, type ResultOf } from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { Publisher } from './publisher.ts';
import type { Room } from './room.ts';
import type { Rooms } from './rooms.ts';
import type { Session } from './session.ts';

/** Presence as the hub's sockets see it: subscribing makes present, changes come as conflated events. */
export interface PresenceFeed {
  /** The socket subscribed to the room. Returns whether the room's presence is pushed. */
  entered(session: Session, room: Room): boolean;
  left(session: Session, room: Room): void;
  /** The socket is closed: it leaves all its channels. */
  gone(session: Session): void;
  /** What the agent says of itself, for every channel of this connection. */
  set(session: Session, state: ParamsOf<'presence.set'>): Promise<void>;
  list(channelId: string, cursor: string | null, limit: number): Promise<ResultOf<'presence.list'>>;
  /** Ends this hub's leases and sends what that changes. */
  close(): Promise<void>;
}

export interface PresenceFeedDeps {
  readonly hubId: string;
  readonly tracker: PresenceTracker;
  readonly publisher: Pick<Publisher, 'ephemeral'>;
  readonly rooms: Pick<Rooms, 'get'>;
  readonly log: Logger;
}

/** A channel's changes go out at most this often; those between share an envelope. */
const conflateMs = 50;
const recordsPerEnvelope = 100;

/** Creates the feed over the presence package's tracker. */
export function createPresenceFeed({
  hubId,
  tracker,
  publisher,
  rooms,
  log,
}: PresenceFeedDeps): PresenceFeed {
  const changed = new Map<string, Map<string, PresenceRecord>>();
  let timer: NodeJS.Timeout | undefined;
  let publishedMs = -Infinity;

  // A crowd's comings and goings would cost more than its messages: such a channel is listed, not pushed.
  const isPushed = (room: Room | undefined) => (room?.members.size ?? 0) <= limits.presencePush;

  const off = tracker.onChange((channelId, record) => {
    if (!isPushed(rooms.get(channelId))) return;
    const records = changed.get(channelId);
    if (records) records.set(record.agentId, record);
    else changed.set(channelId, new Map([[record.agentId, record]]));
    timer ??= setTimeout(publish, Math.max(0, publishedMs + conflateMs - performance.now()));
  });

  function publish(): void {
    timer = undefined;
    publishedMs = performance.now();
    for (const [channelId, byAgent] of changed) {
      const records = [...byAgent.values()];
      for (let start = 0; start < records.length; start += recordsPerEnvelope) {
        const presences = records.slice(start, start + recordsPerEnvelope);
        const [first] = presences;
        const senderId = presences.length === 1 && first ? first.agentId : hubId;
        publisher.ephemeral({ type: 'channel.presence', channelId, presences }, senderId);
      }
    }
    changed.clear();
  }

  const failed = (error: unknown) => log.warn({ err: error }, 'presence could not be changed');

  return {
    entered(session, room) {
      tracker.track(room.channelId, connectionOf(session)).catch(failed);
      return isPushed(room);
    },
    left(session, room) {
      tracker.untrack(room.channelId, connectionOf(session)).catch(failed);
    },
    gone(session) {
      tracker.untrackAll(connectionOf(session)).catch(failed);
    },
    async set(session, { status, customStatus, avatar }) {
      await tracker.set(connectionOf(session), { status, customStatus, avatar });
    },
    async list(channelId, cursor, limit) {
      const { presences, nextCursor, degraded } = await tracker.list(channelId, { cursor, limit });
      return { presences: [...presences], nextCursor, degraded };
    },
    async close() {
      await tracker.close();
      clearTimeout(timer);
      publish();
      off();
    },
  };
}

function connectionOf({ agentId, sessionId }: Session): { agentId: string; sessionId: string } {
  return { agentId, sessionId };
}
