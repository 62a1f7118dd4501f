import { randomUUID } from 'node:crypto';
import { limits, type Welcome } from '@openclaw/protocol';
import type { Limit } from '@openclaw/ratelimit';
import type { WebSocket } from 'ws';
import { isWithinBounds } from './auth/identity.ts';
import type { Hub } from './hub.ts';
import type { AgentTopics } from './live/agent-topics.ts';
import type { Flusher } from './live/flusher.ts';
import { heartbeatMs } from './live/heartbeat.ts';
import type { Room } from './live/room.ts';
import { Session } from './live/session.ts';
import type { Dispatcher } from './rpc/dispatcher.ts';
import type { Accepted } from './upgrade.ts';

/** Frames a second that any socket may send; more where the agents' limits allow more calls than that. */
const minFramesPerSecond = 300;
/** What a socket may send at once, in seconds of the above. */
const burstSeconds = 4;
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
  readonly dispatcher: Dispatcher;
}

/** Twice what the limits let an agent call, so that the guard stops floods and the limits do the limiting. */
function frameRate(limits: Readonly<Record<string, Limit>>): number {
  const callsPerSecond = Object.values(limits).reduce(
    (sum, { limit, windowMs }) => sum + (limit * 1000) / windowMs,
    0,
  );
  return Math.max(minFramesPerSecond, 2 * callsPerSecond);
}

/** Takes in accepted sockets: welcome, frames, farewell. */
export function createConnectionHandler({ hub, flusher, agentTopics, dispatcher }: ConnectionDeps) {
  const framesPerSecond = frameRate(hub.limiter.limits);
  const frameBurst = framesPerSecond * burstSeconds;
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
    session.knowsAllDirects = directs.length < limits.welcomeDirect;
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
    const direct = [...new Map([...session.earlyDirects, ...heads])].map(([channelId, head]) => {
      const room = hub.rooms.openDirect(channelId, head);
      return { room, head: heads.has(channelId) ? room.head : Math.min(head, room.head) };
    });
    const { frameBytes, contentBytes, batch, topics, inFlight, resumeEvents, historyPage } = limits;
    const params: Welcome = {
      sessionId,
      agentId,
      protocol: 1,
      epoch: hub.store.epoch,
      heartbeatMs,
      limits: { frameBytes, contentBytes, batch, topics, inFlight, resumeEvents, historyPage },
      direct: direct.map(({ room, head }) => ({ channelId: room.channelId, head })),
    };
    session.send(JSON.stringify({ jsonrpc: '2.0', method: 'welcome', params }));
    session.isWelcomed = true;
    session.earlyDirects.clear();
    for (const { room, head } of direct) session.enter(room, head);
  }

  function leave(session: Session): void {
    session.dispose();
    hub.presence.gone(session);
    hub.typing.gone(session);
    if (hub.sessions.remove(session)) agentTopics.leave(session.agentId);
  }

  return function onAccepted({ ws, socket, identity }: Accepted): void {
    useProtocolCloseCode(ws);
    if (hub.sessions.ofAgent(identity.agentId).size >= maxSocketsPerAgent) {
      ws.on('error', () => ws.terminate());
      ws.close(4429, `at most ${maxSocketsPerAgent} connections of one agent`);
      cutLater(ws);
      return;
    }
    const session = new Session(ws, socket, randomUUID(), identity, sessionDeps);
    session.nextPingMs = Date.now() + Math.random() * heartbeatMs;
    let badFrames = 0;
    let allowance = frameBurst;
    let allowanceAtMs = performance.now();

    function mayTakeFrame(): boolean {
      const nowMs = performance.now();
      allowance = Math.min(
        frameBurst,
        allowance + ((nowMs - allowanceAtMs) / 1000) * framesPerSecond,
      );
      allowanceAtMs = nowMs;
      allowance -= 1;
      return allowance >= 0;
    }

    /** Counts a frame of any kind. False for one of a flood, or of a peer that ignores its close. */
    function takes(): boolean {
      if (!session.isOpen) return false;
      if (mayTakeFrame()) return true;
      session.close(4429, 'too many frames');
      return false;
    }
    ws.on('message', (data, isBinary) => {
      if (!takes()) return;
      if (isBinary) {
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
      hub.metrics.closedConnections.inc({ code: String(code) });
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

function useProtocolCloseCode(ws: WebSocket): void {
  const close = ws.close.bind(ws);
  ws.close = (code, reason) => {
    const [ours, why] = protocolCloses.get(code) ?? [code, reason];
    close(ours, why);
  };
}

/** A peer that was told to go and does not is present no longer than this. */
function cutLater(ws: WebSocket): void {
  setTimeout(() => ws.terminate(), farewellMs).unref();
}
