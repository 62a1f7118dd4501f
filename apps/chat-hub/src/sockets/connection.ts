import { randomUUID } from 'node:crypto';
import { ChatStoreError, type ChatStore } from '@openclaw/chat-store';
import { encodeCloseReason, limits, type Welcome } from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { CallAllowance } from '../calls/call-allowance.ts';
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { AgentTopics, OpenedDirect } from '../channels/agent-topics.ts';
import type { Flusher } from '../channels/flusher.ts';
import type { Room } from '../channels/room.ts';
import type { KnownAgents } from '../edge/known-agents.ts';
import type { Accepted } from '../edge/upgrade.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { PresenceFeed } from '../presence/presence-feed.ts';
import type { TypingFeed } from '../presence/typing-feed.ts';
import type { Rooms } from '../channels/rooms.ts';
import type { TimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import type { Sessions } from './sessions.ts';
import type { UnsentBudget } from './unsent-budget.ts';
import { closeLabel, terminateLater, useProtocolCloseCodes } from './close.ts';
import { heartbeatMs, type Heartbeat } from './heartbeat.ts';
import { Session } from './session.ts';

/** A client whose welcome failed may come back after this time. */
const retryMs = 1_000;
/** Connections of one agent to one hub. */
const maxSocketsPerAgent = 100;
/** Bad frames after which a socket is closed. Each good frame cancels one bad one. */
const maxBadFrames = 10;

/** The parts of the hub that every connection uses. */
export interface ConnectionHub {
  readonly store: ChatStore;
  readonly rooms: Rooms;
  readonly sessions: Sessions;
  readonly presence: PresenceFeed;
  readonly typing: TypingFeed;
  readonly knownAgents: KnownAgents;
  readonly unsent: UnsentBudget;
  readonly slices: TimeSlicedQueue;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface ConnectionDeps {
  readonly hub: ConnectionHub;
  readonly flusher: Flusher;
  readonly agentTopics: AgentTopics;
  readonly heartbeat: Heartbeat;
  readonly dispatcher: Dispatcher;
  readonly calls: CallAllowance;
}

/** Serves accepted sockets: the welcome, then calls, until the socket closes. */
export function createConnectionHandler(deps: ConnectionDeps) {
  const { hub, flusher, agentTopics, heartbeat, dispatcher, calls } = deps;
  const sessionDeps = {
    store: hub.store,
    flusher,
    unsent: hub.unsent,
    slices: hub.slices,
    onLag: () => hub.metrics.laggingSockets.inc(),
    onDiscontinuity: (reason: 'epoch' | 'behind') => hub.metrics.discontinuities.inc({ reason }),
    onLeftRoom: (session: Session, room: Room) => {
      hub.presence.leave(session, room);
      hub.rooms.left(room);
    },
  };

  async function welcome(session: Session): Promise<void> {
    hub.sessions.add(session);
    await agentTopics.join(session.agentId);
    const read = await agentTopics.readDirects(session);
    if (!read || !session.isOpen) return;
    const directs = agentTopics.openDirects(session, read);
    const params = welcomeOf(session, directs);
    session.send(JSON.stringify({ jsonrpc: '2.0', method: 'welcome', params }));
    const { isComplete } = read;
    session.welcomed({ isComplete, epochGeneration: hub.rooms.epochGeneration });
    for (const { room, head } of directs) session.enter(room, head);
  }

  function welcomeOf(session: Session, directs: readonly OpenedDirect[]): Welcome {
    const { sessionId, agentId, identity } = session;
    return {
      sessionId,
      agentId,
      kind: identity.kind,
      protocol: 1,
      epoch: hub.store.epoch,
      heartbeatMs,
      limits: {
        frameBytes: limits.frameBytes,
        contentBytes: limits.contentBytes,
        batch: limits.batch,
        topics: limits.topics,
        inFlight: limits.inFlight,
        resumeEvents: limits.resumeEvents,
        historyPage: limits.historyPage,
        resumeBytes: limits.resumeBytes,
        logPage: limits.logPage,
        edits: limits.edits,
      },
      direct: directs.map(({ room, head }) => ({ channelId: room.channelId, head })),
    };
  }

  function leave(session: Session): void {
    session.dispose();
    heartbeat.forget(session);
    hub.presence.disconnect(session);
    hub.typing.disconnect(session);
    hub.knownAgents.seen(session.identity);
    if (hub.sessions.remove(session)) agentTopics.leave(session.agentId);
  }

  /** The reason to close a socket of the agent at once, or null. */
  function refusalOf(agentId: string): string | null {
    // The agent may have been barred after this socket was authenticated.
    const barredForMs = calls.barredForMs(agentId);
    if (barredForMs !== null) return encodeCloseReason(barredForMs);
    if (hub.sessions.ofAgent(agentId).size < maxSocketsPerAgent) return null;
    return `at most ${maxSocketsPerAgent} connections of one agent`;
  }

  return function onAccepted({ ws, socket, identity, trace }: Accepted): void {
    const closedWith = useProtocolCloseCodes(ws);
    const refusal = refusalOf(identity.agentId);
    if (refusal !== null) {
      ws.on('error', () => ws.terminate());
      ws.close(4429, refusal);
      terminateLater(ws);
      return;
    }
    const session = new Session(ws, socket, randomUUID(), identity, sessionDeps);
    heartbeat.watch(session);
    let badFrames = 0;

    /**
     * Counts a frame that holds no call as a call. Returns false once the socket is closed, because a closing peer may
     * still send.
     */
    function countFrame(): boolean {
      if (session.isOpen) calls.count(session.agentId);
      return session.isOpen;
    }
    ws.on('message', (data, isBinary) => {
      if (!session.isOpen) return;
      if (isBinary) {
        if (!countFrame()) return;
        dispatcher.refuseBinary(session);
      } else if (dispatcher.dispatch(session, data as Buffer)) {
        badFrames = Math.max(0, badFrames - 1);
        return;
      }
      hub.metrics.badFrames.inc();
      badFrames += 1;
      if (badFrames > maxBadFrames) session.close(4400, 'too many frames that are not JSON-RPC');
    });
    ws.on('ping', countFrame);
    ws.on('pong', () => {
      if (countFrame()) heartbeat.pong(session);
    });
    ws.on('error', (error) => {
      hub.log.debug({ err: error, agentId: session.agentId }, 'a socket failed');
      terminateLater(ws);
    });
    ws.on('close', (code) => {
      hub.metrics.closedConnections.inc({ code: closeLabel(closedWith(), code) });
      leave(session);
    });

    // Nothing is read before the welcome is sent.
    ws.pause();
    welcome(session).then(
      () => ws.resume(),
      (error: unknown) => {
        // An outage is logged once, not for each client that it keeps away.
        const level = error instanceof ChatStoreError ? 'debug' : 'warn';
        const about = { err: error, agentId: session.agentId, ...trace };
        hub.log[level](about, 'a connection could not be welcomed');
        ws.resume();
        session.close(4503, encodeCloseReason(retryMs));
      },
    );
  };
}
