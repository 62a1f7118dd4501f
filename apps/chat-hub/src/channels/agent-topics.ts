import type { EventBus } from '@openclaw/events';
import { isDirectChannelId, type EncodedEnvelope } from '@openclaw/protocol';
import { isWithinBounds } from '../edge/identity.ts';
import type { DirectHeads } from './direct-heads.ts';
import { notificationText, textFrame } from './frame.ts';
import type { Room } from './room.ts';
import type { Rooms } from './rooms.ts';
import type { Session } from '../sockets/session.ts';
import type { Sessions } from '../sockets/sessions.ts';

/** The topics of the agents connected here: direct channels, and notices about channels they do not listen to. */
export interface AgentTopics {
  /** Resolves once the agent's topic is subscribed. */
  join(agentId: string): Promise<void>;
  /** To be called when the agent's last socket here is gone. */
  leave(agentId: string): void;
  /** A direct channel of these agents has a new head: their sockets here that are not in it yet enter it. */
  foundDirect(channelId: string, agentIds: readonly string[], head: number): void;
}

export interface AgentTopicsDeps {
  readonly bus: EventBus;
  readonly rooms: Rooms;
  readonly sessions: Sessions;
  readonly heads: DirectHeads;
  readonly onEphemeral: (room: Room, event: EncodedEnvelope) => void;
  /** The life of the database, as last seen. */
  readonly epoch: () => string;
  /** Told that an event of another epoch came. */
  readonly onForeignEpoch: () => void;
}

/** A socket that begins to follow a direct channel after this seq. */
interface Entering {
  readonly session: Session;
  readonly after: number;
  readonly break?: 'epoch' | 'behind';
}

/** Creates the table of agent topics. */
export function createAgentTopics(deps: AgentTopicsDeps): AgentTopics {
  const { bus, rooms, sessions, heads, onEphemeral } = deps;
  const topics = new Map<string, Promise<() => Promise<void>>>();

  /** The sockets that follow all their direct channels and are not yet in this one. */
  function newcomers(agentId: string, channelId: string): Session[] {
    return [...sessions.ofAgent(agentId)].filter(
      (session) =>
        !session.rooms.has(channelId) &&
        !session.mutedDirects.has(channelId) &&
        isWithinBounds(session.identity, channelId),
    );
  }

  /** The seq after which the socket gets the channel's events; `break` when earlier ones may be missing. */
  function beginOf(session: Session, channelId: string, seq: number | null): Entering | null {
    // An event before the welcome is at or below the head at that time.
    if (!session.isWelcomed) return seq === null ? null : { session, after: seq - 1 };
    // A direct channel that a complete welcome did not name is new: it begins at its first event, whatever was lost of it
    // on the way.
    if (session.knowsAllDirects) return { session, after: 0 };
    const isSameEpoch = session.welcomedRestarts === rooms.restarts;
    const head = isSameEpoch ? heads.headOf(session.agentId, channelId) : null;
    if (head !== null) return { session, after: head };
    if (seq === null) return null;
    return { session, after: seq - 1, break: isSameEpoch ? 'behind' : 'epoch' };
  }

  /** `seq` is that of the newest event known; null for one that has none. */
  function enterDirect(agentId: string, channelId: string, seq: number | null): Room | undefined {
    const entering = newcomers(agentId, channelId)
      .map((session) => beginOf(session, channelId, seq))
      .filter((begin) => begin !== null && (seq === null || begin.after < seq)) as Entering[];
    const room =
      rooms.get(channelId) ??
      (entering.length > 0
        ? rooms.openDirect(channelId, Math.min(...entering.map(({ after }) => after)))
        : undefined);
    if (!room) return undefined;
    for (const { session, after, break: reason } of entering) {
      if (session.isWelcomed) session.enter(room, after);
      else if (!session.earlyDirects.has(channelId)) session.earlyDirects.set(channelId, after);
      if (reason) session.discontinued(room, reason);
    }
    if (seq !== null) heads.raise(agentId, channelId, seq);
    return room;
  }

  function direct(agentId: string, channelId: string, event: EncodedEnvelope): void {
    if (event.seq === null) {
      const room = enterDirect(agentId, channelId, null);
      if (room) onEphemeral(room, event);
    } else if (event.epoch === deps.epoch()) {
      const room = enterDirect(agentId, channelId, event.seq);
      if (room) rooms.offer(room, event);
    } else {
      // In another epoch its seq says nothing about the channel's head.
      deps.onForeignEpoch();
    }
  }

  function notice(agentId: string, channelId: string, event: EncodedEnvelope): void {
    let frame: Buffer | undefined;
    for (const session of sessions.ofAgent(agentId)) {
      if (session.rooms.has(channelId) || !session.isWelcomed) continue;
      if (!isWithinBounds(session.identity, channelId)) continue;
      session.sendBestEffort((frame ??= textFrame(notificationText('notice', event.json))));
    }
  }

  return {
    async join(agentId) {
      let subscription = topics.get(agentId);
      if (!subscription) {
        subscription = bus.subscribeAgent(agentId, (event) => {
          if (event.channelId === null) return;
          if (isDirectChannelId(event.channelId)) direct(agentId, event.channelId, event);
          else notice(agentId, event.channelId, event);
        });
        topics.set(agentId, subscription);
        subscription.catch(() => topics.delete(agentId));
      }
      await subscription;
    },
    leave(agentId) {
      const subscription = topics.get(agentId);
      topics.delete(agentId);
      heads.forget(agentId);
      // An unsubscription that fails is reported by the bus; nobody is left here to be told.
      subscription?.then((unsubscribe) => unsubscribe()).catch(() => undefined);
    },
    foundDirect(channelId, agentIds, head) {
      for (const agentId of agentIds) enterDirect(agentId, channelId, head)?.raise(head);
    },
  };
}
