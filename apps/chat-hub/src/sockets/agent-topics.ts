import type { ChatStore } from '@openclaw/chat-store';
import type { EventBus } from '@openclaw/events';
import { isDirectChannelId, limits, type EncodedEnvelope } from '@openclaw/protocol';
import { isWithinBounds } from '../edge/identity.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import { latestOf, type DirectHeads } from '../channels/direct-heads.ts';
import { notificationText, textFrame } from '../channels/frames.ts';
import type { Room } from '../channels/room.ts';
import type { Rooms } from '../channels/rooms.ts';

/** A welcome waits at most this long for rooms of direct channels if these rooms are behind the log. */
const catchUpMs = 1_000;

export interface DirectsRead {
  readonly heads: ReadonlyMap<string, number>;
  readonly isComplete: boolean;
}

export interface OpenedDirect {
  readonly room: Room;
  readonly head: number;
}

interface Start {
  readonly session: Session;
  readonly after: number;
  readonly gap?: 'epoch' | 'behind';
}

export function createAgentTopics(deps: {
  readonly bus: EventBus;
  readonly store: Pick<ChatStore, 'epoch' | 'directChannels' | 'access'>;
  readonly rooms: Rooms;
  readonly sessions: Sessions;
  readonly heads: DirectHeads;
  readonly onEphemeral: (room: Room, event: EncodedEnvelope) => void;
  readonly onForeignEpoch: () => void;
}) {
  const { bus, store, rooms, sessions, heads, onEphemeral } = deps;
  const topics = new Map<string, Promise<() => Promise<void>>>();

  /**
   * If the agent has more channels than a welcome names, their heads are read in pages, once for all sessions of the
   * agent. A single statement would sort all channels each time. Null when the socket closed during the read.
   */
  async function readLatest(session: Session) {
    const { agentId } = session;
    const directs = await store.directChannels(agentId, limits.welcomeDirect);
    // For a closed socket, nothing would ever release the heads that are loaded below.
    if (!session.isOpen) return null;
    const isComplete = directs.length < limits.welcomeDirect;
    if (isComplete) return { directs: latestOf(directs), isComplete };
    await heads.load(agentId);
    const { phase } = session;
    if (phase.name === 'welcoming') {
      // The heads already cover these early events, and also events that the tail check finds only later.
      phase.earlyDirects.clear();
      phase.areHeadsRead = true;
    }
    const latest = heads.latest(agentId);
    const access = await store.access(agentId, latest);
    const found = latest.flatMap((channelId) => {
      const head = access.get(channelId)?.head;
      return head === undefined ? [] : [{ channelId, head }];
    });
    return { directs: found, isComplete };
  }

  /**
   * `seq` is the channel's newest event known here, or null. Returns null if the session cannot follow the channel
   * yet.
   */
  function startOf(session: Session, channelId: string, seq: number | null): Start | null {
    const { phase } = session;
    if (phase.name === 'closing') return null;
    if (phase.name === 'welcoming') {
      const read = phase.areHeadsRead ? heads.headOf(session.agentId, channelId) : null;
      // The session starts just before the event. If the welcome names the channel, `openDirects` replaces this start
      // by the head in the welcome.
      return seq === null || seq <= (read ?? 0) ? null : { session, after: seq - 1 };
    }
    // The welcome named all direct channels, so this channel is new. The session starts before the channel's first
    // event, because the bus may have lost the first events.
    if (phase.directs.isComplete) return { session, after: 0 };
    const isSameEpoch = phase.directs.epochGeneration === rooms.epochGeneration;
    const head = isSameEpoch ? heads.headOf(session.agentId, channelId) : null;
    if (head !== null) return { session, after: head };
    if (seq === null) return null;
    return { session, after: seq - 1, gap: isSameEpoch ? 'behind' : 'epoch' };
  }

  /**
   * Lets the agent's sockets enter the channel if they have not entered. Returns the channel's room, if there is one.
   */
  function enterDirect(agentId: string, channelId: string, seq: number | null): Room | undefined {
    const starts: Start[] = [];
    for (const session of sessions.ofAgent(agentId)) {
      if (!session.mayEnterDirect(channelId)) continue;
      if (!isWithinBounds(session.identity, channelId)) continue;
      const start = startOf(session, channelId, seq);
      if (start && (seq === null || start.after < seq)) starts.push(start);
    }
    const room =
      rooms.get(channelId) ??
      (starts.length > 0
        ? rooms.openDirect(channelId, Math.min(...starts.map(({ after }) => after)))
        : undefined);
    if (!room) return undefined;
    for (const { session, after, gap } of starts) {
      const { phase } = session;
      if (phase.name !== 'welcoming') session.enter(room, after);
      else if (!phase.earlyDirects.has(channelId)) phase.earlyDirects.set(channelId, after);
      if (gap) session.discontinued(room, gap);
    }
    if (seq !== null) heads.raise(agentId, channelId, seq);
    return room;
  }

  function direct(agentId: string, channelId: string, event: EncodedEnvelope): void {
    if (event.seq === null) {
      const room = enterDirect(agentId, channelId, null);
      if (room) onEphemeral(room, event);
    } else if (event.epoch === store.epoch) {
      const room = enterDirect(agentId, channelId, event.seq);
      if (room) rooms.offer(room, event);
    } else {
      // A seq of another epoch is not comparable with the channel's head.
      deps.onForeignEpoch();
    }
  }

  function notice(agentId: string, channelId: string, event: EncodedEnvelope): void {
    let frame: Buffer | undefined;
    for (const session of sessions.ofAgent(agentId)) {
      if (session.rooms.has(channelId) || !isWithinBounds(session.identity, channelId)) continue;
      session.sendBestEffort((frame ??= textFrame(notificationText('notice', event.json))));
    }
  }

  return {
    async join(agentId: string) {
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
    leave(agentId: string) {
      const subscription = topics.get(agentId);
      topics.delete(agentId);
      heads.forget(agentId);
      // The bus reports a failed unsubscription itself.
      subscription?.then((unsubscribe) => unsubscribe()).catch(() => undefined);
    },
    /** Null when the socket closed during the read. */
    async readDirects(session: Session): Promise<DirectsRead | null> {
      const latest = await rooms.readInEpoch(() => readLatest(session));
      if (!latest) return null;
      const { directs, isComplete } = latest;
      const named = directs.filter(({ channelId }) => isWithinBounds(session.identity, channelId));
      await Promise.all(
        named.map(({ channelId, head }) => {
          const room = rooms.openDirect(channelId, head);
          room.raise(head);
          return room.whenReached(head, catchUpMs);
        }),
      );
      return {
        heads: new Map(named.map(({ channelId, head }) => [channelId, head])),
        isComplete,
      };
    },
    /** The caller must send the welcome and enter the rooms in the same turn of the event loop. */
    openDirects(session: Session, { heads: named, isComplete }: DirectsRead) {
      const starts = new Map<string, number>();
      const early = session.phase.name === 'welcoming' ? session.phase.earlyDirects : [];
      for (const [channelId, before] of early) {
        const head = isComplete ? 0 : heads.headOf(session.agentId, channelId);
        starts.set(channelId, Math.min(before, head ?? before));
      }
      for (const [channelId, head] of named) starts.set(channelId, head);
      return [...starts].map(([channelId, start]) => {
        const room = rooms.openDirect(channelId, start);
        return { room, head: named.has(channelId) ? room.head : Math.min(start, room.head) };
      });
    },
    /**
     * Call it when a direct channel of these agents has a new head. The agents' sockets on this hub enter the
     * channel's room.
     */
    foundDirect(channelId: string, agentIds: readonly string[], head: number) {
      for (const agentId of agentIds) enterDirect(agentId, channelId, head)?.raise(head);
    },
  };
}

export type AgentTopics = ReturnType<typeof createAgentTopics>;
