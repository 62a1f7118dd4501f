import { randomUUID } from 'node:crypto';
import { ChatStoreError, type ChatStore } from '@openclaw/chat-store';
import { encodeCloseReason, limits, type Discontinuity, type Welcome } from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { CallAllowance } from '../calls/call-allowance.ts';
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { AgentTopics, OpenedDirect } from './agent-topics.ts';
import type { Flusher } from '../channels/flusher.ts';
import type { Room } from '../channels/room.ts';
import type { KnownAgents } from '../edge/known-agents.ts';
import type { Revocations } from '../edge/revocations.ts';
import type { Identity } from '../edge/identity.ts';
import type { Accepted } from '../edge/upgrade.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { ConnectedAgents } from '../presence/connected-agents.ts';
import type { PresenceFeed } from '../presence/presence-feed.ts';
import type { TurnFeed } from '../presence/turn-feed.ts';
import type { TypingFeed } from '../presence/typing-feed.ts';
import type { Rooms } from '../channels/rooms.ts';
import type { TimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import type { Sessions } from './sessions.ts';
import type { UnsentBudget } from './unsent-budget.ts';
import { heartbeatMs, type Heartbeat } from './heartbeat.ts';
import { Session, terminateLater } from './session.ts';
import type { WebSocket } from 'ws';

const retryMs = 1_000;
const maxSocketsPerAgent = 100;
/**
 * Without this limit, Node reads up to 2 MiB from one socket before it reads the next socket. When the limit is
 * reached, the rest of the chunk that was read last is still handled. A chunk has at most 64 KiB.
 */
const turnBytes = 16_384;
/** Each frame counts as this many more bytes, because small frames are costly too. */
const frameCost = 100;
/** A socket with more bad frames is closed. Each good frame cancels one bad one. */
const maxBadFrames = 10;

export interface ConnectionDeps {
  readonly store: ChatStore;
  readonly rooms: Rooms;
  readonly sessions: Sessions;
  readonly presence: PresenceFeed;
  readonly connectedAgents: Pick<ConnectedAgents, 'connected'>;
  readonly typing: TypingFeed;
  readonly turns: TurnFeed;
  readonly knownAgents: KnownAgents;
  readonly revocations: Pick<Revocations, 'has'>;
  readonly unsent: UnsentBudget;
  readonly slices: TimeSlicedQueue;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly flusher: Flusher;
  readonly agentTopics: AgentTopics;
  readonly heartbeat: Heartbeat;
  readonly dispatcher: Dispatcher;
  readonly allowance: CallAllowance;
}

export function createConnectionHandler(deps: ConnectionDeps) {
  const { store, flusher, unsent, slices, metrics, log } = deps;
  const { sessions, agentTopics, heartbeat, dispatcher, allowance } = deps;
  const sessionDeps = {
    store,
    flusher,
    unsent,
    slices,
    onLag: () => metrics.laggingSockets.inc(),
    onDiscontinuity: (reason: Discontinuity['reason']) => metrics.discontinuities.inc({ reason }),
    onLeftRoom: (session: Session, room: Room) => {
      deps.presence.leave(session, room);
      deps.rooms.left(room);
    },
  };

  async function welcome(session: Session): Promise<void> {
    sessions.add(session);
    deps.connectedAgents.connected(session.agentId, session.sessionId);
    await agentTopics.join(session.agentId);
    const read = await agentTopics.readDirects(session);
    if (!read || !session.isOpen) return;
    const directs = agentTopics.openDirects(session, read);
    const params = welcomeOf(session, directs);
    session.send(JSON.stringify({ jsonrpc: '2.0', method: 'welcome', params }));
    const { isComplete } = read;
    session.welcomed({ isComplete, epochGeneration: deps.rooms.epochGeneration });
    for (const { room, head } of directs) session.enter(room, head);
  }

  function welcomeOf(session: Session, directs: readonly OpenedDirect[]): Welcome {
    const { sessionId, agentId, identity } = session;
    return {
      sessionId,
      agentId,
      kind: identity.kind,
      protocol: 1,
      epoch: deps.store.epoch,
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
        streams: limits.streams,
      },
      // Channels with events during the read were added at the beginning, so the list may exceed the limit.
      direct: directs
        .slice(0, limits.welcomeDirect)
        .map(({ room, head }) => ({ channelId: room.channelId, head })),
    };
  }

  function leave(session: Session): void {
    session.dispose();
    heartbeat.forget(session);
    const absent = deps.presence.disconnect(session);
    deps.typing.disconnect(session);
    deps.knownAgents.seen(session.identity);
    if (!sessions.remove(session)) return;
    agentTopics.leave(session.agentId);
    void absent.then(() => deps.turns.disconnected(session.agentId));
  }

  let turn = 0;
  let isTurnCounted = false;

  function thisTurn(): number {
    if (!isTurnCounted) {
      isTurnCounted = true;
      setImmediate(() => {
        isTurnCounted = false;
        turn += 1;
      });
    }
    return turn;
  }

  function refusalOf(identity: Identity): readonly [code: number, reason: string] | null {
    // The token may have been revoked, or the agent barred, after this socket was authenticated.
    if (deps.revocations.has(identity)) return [4403, 'the token was revoked'];
    const { agentId } = identity;
    const barredForMs = allowance.barredForMs(agentId);
    if (barredForMs !== null) return [4429, encodeCloseReason(barredForMs)];
    if (sessions.ofAgent(agentId).size < maxSocketsPerAgent) return null;
    return [4429, `at most ${maxSocketsPerAgent} connections of one agent`];
  }

  return function onAccepted({ ws, socket, identity, trace }: Omit<Accepted, 'headers'>): void {
    const closedWith = useProtocolCloseCodes(ws);
    const refusal = refusalOf(identity);
    if (refusal !== null) {
      ws.on('error', () => ws.terminate());
      ws.close(...refusal);
      terminateLater(ws);
      return;
    }
    const session = new Session(ws, socket, randomUUID(), identity, sessionDeps);
    heartbeat.watch(session);
    let badFrames = 0;
    let [lastTurn, readInTurn] = [-1, 0];

    function countRead(bytes: number): void {
      if (lastTurn !== thisTurn()) [lastTurn, readInTurn] = [turn, 0];
      const before = readInTurn;
      readInTurn += bytes + frameCost;
      if (before < turnBytes && readInTurn >= turnBytes) session.restUntilNextTurn();
    }

    /**
     * Counts a frame that is not a call as if it were one, so it also uses the agent's allowance. Returns false if the
     * socket was already closed, or if this frame got the agent barred, which closes the socket.
     */
    function countFrame(): boolean {
      if (session.isOpen) allowance.count(session.agentId);
      return session.isOpen;
    }
    ws.on('message', (data, isBinary) => {
      if (!session.isOpen) return;
      countRead((data as Buffer).length);
      if (isBinary) {
        if (!countFrame()) return;
        dispatcher.refuseBinary(session);
      } else if (dispatcher.dispatch(session, data as Buffer)) {
        badFrames = Math.max(0, badFrames - 1);
        return;
      }
      metrics.badFrames.inc();
      badFrames += 1;
      if (badFrames > maxBadFrames) session.close(4400, 'too many frames that are not JSON-RPC');
    });
    ws.on('ping', ({ length }) => {
      if (countFrame()) countRead(length);
    });
    ws.on('pong', ({ length }) => {
      if (!countFrame()) return;
      countRead(length);
      heartbeat.pong(session);
    });
    ws.on('error', (error) => {
      log.debug({ err: error, agentId: session.agentId }, 'a socket failed');
      terminateLater(ws);
    });
    ws.on('close', (code) => {
      metrics.closedConnections.inc({ code: closeLabel(closedWith(), code) });
      leave(session);
    });

    // Nothing is read before the welcome is sent.
    ws.pause();
    welcome(session).then(
      () => ws.resume(),
      (error: unknown) => {
        // An outage is logged once, not for each client that cannot connect.
        const level = error instanceof ChatStoreError ? 'debug' : 'warn';
        const about = { err: error, agentId: session.agentId, ...trace };
        log[level](about, 'a connection could not be welcomed');
        ws.resume();
        session.close(4503, encodeCloseReason(retryMs));
      },
    );
  };
}

/** Maps codes that ws sends by itself to the protocol's codes. */
const protocolCloses = new Map<number | undefined, readonly [code: number, reason: string]>([
  [1009, [4413, 'a frame was over limits.frameBytes']],
  [1008, [4429, 'too many fragments']],
]);

/** The returned function gives the hub's close code, or null if the peer closed first. */
function useProtocolCloseCodes(ws: WebSocket): () => number | null {
  const close = ws.close.bind(ws);
  let closedWith: number | null = null;
  ws.close = (code, reason) => {
    // To answer a peer's close, ws calls this with the peer's code, and with the reason as bytes.
    if (code === undefined || Buffer.isBuffer(reason)) {
      close(code, reason);
      return;
    }
    const [ours, why] = protocolCloses.get(code) ?? [code, reason];
    closedWith ??= ours;
    close(ours, why);
  };
  return () => closedWith;
}

const normalCodes: ReadonlySet<number> = new Set([1000, 1001, 1005, 1006]);

/** A code that a peer made up becomes `other`, so that peers cannot add labels to the metric. */
function closeLabel(ours: number | null, theirs: number): string {
  if (ours !== null) return String(ours);
  return normalCodes.has(theirs) ? String(theirs) : 'other';
}
