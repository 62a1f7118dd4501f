import { randomUUID } from 'node:crypto';
import { encodeCloseReason, limits, type Welcome } from '@openclaw/protocol';
import type { WebSocket } from 'ws';
import { isWithinBounds } from '../edge/identity.ts';
import type { CallAllowance } from '../calls/call-allowance.ts';
import type { Hub } from '../methods/hub.ts';
import type { AgentTopics } from '../channels/agent-topics.ts';
import type { DirectHeads } from '../channels/direct-heads.ts';
import type { Flusher } from '../channels/flusher.ts';
import { heartbeatMs } from './heartbeat.ts';
import type { Room } from '../channels/room.ts';
import { Session } from './session.ts';
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { Accepted } from '../edge/upgrade.ts';

/** How long the welcome waits for a room of this hub that is behind the log. */
const levelMs = 1_000;
/** How often heads are read again because the database began another life meanwhile. */
const headAttempts = 5;
/** Connections of one agent to one hub. */
const maxSocketsPerAgent = 100;
/** How long a peer may take to answer a close before it is cut. */
const farewellMs = 2_000;
/** Bad frames that a socket is forgiven; each good one pays one off. */
const maxBadFrames = 10;

export interface ConnectionDeps {
  readonly hub: Hub;
  readonly flusher: Flusher;
  readonly agentTopics: AgentTopics;
  readonly directHeads: DirectHeads;
  readonly dispatcher: Dispatcher;
  readonly calls: CallAllowance;
}

/** Takes in accepted sockets: welcome, frames, farewell. */
export function createConnectionHandler(deps: ConnectionDeps) {
  const { hub, flusher, agentTopics, directHeads, dispatcher, calls } = deps;
  const sessionDeps = {
    store: hub.store,
    flusher,
    unsent: hub.unsent,
    slices: hub.slices,
    onLag: () => hub.metrics.laggingSockets.inc(),
    onLeftRoom: (session: Session, room: Room) => {
      hub.presence.left(session, room);
      hub.rooms.left(room);
    },
  };

  // Heads of a life of the database that has ended meanwhile would leave their rooms deaf.
  async function readDirects(agentId: string) {
    for (let attempt = 1; attempt <= headAttempts; attempt++) {
      const { restarts } = hub.rooms;
      const directs = await hub.store.directChannels(agentId, limits.welcomeDirect);
      if (hub.rooms.restarts === restarts) return directs;
    }
    throw new Error('the database begins one life after another');
  }

  async function welcome(session: Session): Promise<void> {
    const { agentId, sessionId } = session;
    hub.sessions.add(session);
    await agentTopics.join(agentId);
    const directs = await readDirects(agentId);
    // The socket closed meanwhile: nothing would release heads that are read from here on.
    if (!session.isOpen) return;
    session.knowsAllDirects = directs.length < limits.welcomeDirect;
    if (!session.knowsAllDirects) await directHeads.load(agentId);
    const known = directs.filter(({ channelId }) => isWithinBounds(session.identity, channelId));
    await Promise.all(
      known.map(({ channelId, head }) => {
        const room = hub.rooms.openDirect(channelId, head);
        room.raise(head);
        return room.reached(head, levelMs);
      }),
    );
    if (!session.isOpen) return;
    const heads = new Map(known.map(({ channelId, head }) => [channelId, head]));
    const early = [...session.earlyDirects].map(([channelId, before]): [string, number] => {
      const begin = session.knowsAllDirects ? 0 : directHeads.headOf(agentId, channelId);
      return [channelId, Math.min(before, begin ?? before)];
    });
    const direct = [...new Map([...early, ...heads])].map(([channelId, head]) => {
      const room = hub.rooms.openDirect(channelId, head);
      return { room, head: heads.has(channelId) ? room.head : Math.min(head, room.head) };
    });
    const { frameBytes, contentBytes, batch, topics, inFlight, resumeEvents } = limits;
    const { historyPage, resumeBytes, logPage, edits } = limits;
    const params: Welcome = {
      sessionId,
      agentId,
      kind: session.identity.kind,
      protocol: 1,
      epoch: hub.store.epoch,
      heartbeatMs,
      limits: {
        ...{ frameBytes, contentBytes, batch, topics, inFlight, resumeEvents, historyPage },
        ...{ resumeBytes, logPage, edits },
      },
      direct: direct.map(({ room, head }) => ({ channelId: room.channelId, head })),
    };
    session.send(JSON.stringify({ jsonrpc: '2.0', method: 'welcome', params }));
    session.isWelcomed = true;
    session.welcomedRestarts = hub.rooms.restarts;
    session.earlyDirects.clear();
    for (const { room, head } of direct) session.enter(room, head);
  }

  function leave(session: Session): void {
    session.dispose();
    hub.presence.gone(session);
    hub.typing.gone(session);
    hub.knownAgents.seen(session.identity);
    if (hub.sessions.remove(session)) agentTopics.leave(session.agentId);
  }

  return function onAccepted({ ws, socket, identity }: Accepted): void {
    const closedWith = useProtocolCloseCode(ws);
    const barredForMs = calls.barredForMs(identity.agentId);
    if (barredForMs !== null) {
      // It was barred after it was authenticated.
      ws.on('error', () => ws.terminate());
      ws.close(4429, encodeCloseReason(barredForMs));
      cutLater(ws);
      return;
    }
    if (hub.sessions.ofAgent(identity.agentId).size >= maxSocketsPerAgent) {
      ws.on('error', () => ws.terminate());
      ws.close(4429, `at most ${maxSocketsPerAgent} connections of one agent`);
      cutLater(ws);
      return;
    }
    const session = new Session(ws, socket, randomUUID(), identity, sessionDeps);
    session.nextPingMs = Date.now() + Math.random() * heartbeatMs;
    let badFrames = 0;

    /** Counts a frame that holds no call as a call. False once the socket is closed: a peer may go on sending. */
    function takes(): boolean {
      if (session.isOpen) calls.count(session.agentId);
      return session.isOpen;
    }
    ws.on('message', (data, isBinary) => {
      if (!session.isOpen) return;
      if (isBinary) {
        if (!takes()) return;
        dispatcher.refuseBinary(session);
      } else if (dispatcher.dispatch(session, data as Buffer)) {
        badFrames = Math.max(0, badFrames - 1);
        return;
      }
      hub.metrics.badFrames.inc();
      badFrames += 1;
      if (badFrames > maxBadFrames) session.close(4400, 'too many frames that are not JSON-RPC');
    });
    ws.on('ping', takes);
    ws.on('pong', () => {
      if (takes()) session.unansweredPings = 0;
    });
    ws.on('error', (error) => {
      hub.log.debug({ err: error, agentId: session.agentId }, 'a socket failed');
      cutLater(ws);
    });
    ws.on('close', (code) => {
      hub.metrics.closedConnections.inc({ code: closeLabel(closedWith(), code) });
      leave(session);
    });

    // Nothing is read before the welcome is on its way.
    ws.pause();
    welcome(session).then(
      () => ws.resume(),
      (error: unknown) => {
        hub.log.warn({ err: error }, 'a connection could not be welcomed');
        ws.resume();
        session.close(4503, JSON.stringify({ afterMs: 1_000 }));
      },
    );
  };
}

/** What ws refuses by itself with one of the standard's codes, and the protocol names another for. */
const protocolCloses = new Map<number | undefined, readonly [code: number, reason: string]>([
  [1009, [4413, 'a frame was over limits.frameBytes']],
  [1008, [4429, 'too many fragments']],
]);

/** The returned function answers the code with which the hub began to close; null when the peer began. */
function useProtocolCloseCode(ws: WebSocket): () => number | null {
  const close = ws.close.bind(ws);
  let closedWith: number | null = null;
  ws.close = (code, reason) => {
    // ws answers a peer's close with the same code, and a reason that is still bytes.
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

/** Codes with which a peer closes, or drops the connection, when nothing is wrong. */
const usualCodes: ReadonlySet<number> = new Set([1000, 1001, 1005, 1006]);

/** The label of a close: the hub's own code, else one of the usual ones; never a number that a peer made up. */
function closeLabel(ours: number | null, theirs: number): string {
  if (ours !== null) return String(ours);
  return usualCodes.has(theirs) ? String(theirs) : 'other';
}

/** A peer that was told to go and does not is present no longer than this. */
function cutLater(ws: WebSocket): void {
  setTimeout(() => ws.terminate(), farewellMs).unref();
}
