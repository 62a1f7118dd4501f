import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionLimits } from './open-files.ts';

/** Keeps a server within so many connections, so that descriptors are left for what the hub itself needs. */
export interface ConnectionCap {
  /** Watches a server; to be called before it listens. */
  watch(server: Server): void;
  /**
   * Null for a connection that is served, for as long as it is open. One that came when all places were taken is to be
   * sent away: in how many milliseconds it may come back, to each another.
   */
  surplusMs(socket: Duplex): number | null;
  /** Connections that are open now, those included that are being sent away. */
  readonly open: number;
  readonly limit: number;
  /** Connections over the limit that are taken to be sent away, at once at most. */
  readonly surplus: number;
  /** Connections that were ended without a word, because too many were being sent away already. */
  readonly dropped: number;
}

/** Options of {@link createConnectionCap}. */
export interface ConnectionCapOptions extends ConnectionLimits {
  /** Clients that are told to come back in one second, so that they do not come back as one. */
  readonly perSecond: number;
}

/** The earliest and the latest that a surplus client is told to come back, ms. */
const soonestMs = 1_000;
const latestMs = 60_000;

/** Creates a cap. */
export function createConnectionCap(options: ConnectionCapOptions): ConnectionCap {
  const { served, surplus, perSecond } = options;
  const surpluses = new WeakSet<Duplex>();
  let open = 0;
  let dropped = 0;
  let lastSlotMs = 0;

  function nextSlotMs(): number {
    const nowMs = performance.now();
    lastSlotMs = Math.max(nowMs + soonestMs, lastSlotMs + 1_000 / perSecond);
    if (lastSlotMs > nowMs + latestMs) lastSlotMs = nowMs + soonestMs;
    return Math.ceil(lastSlotMs - nowMs);
  }

  return {
    watch(server) {
      server.maxConnections = served + surplus;
      server.on('connection', (socket: Socket) => {
        open += 1;
        if (open > served) surpluses.add(socket);
        socket.once('close', () => (open -= 1));
      });
      server.on('drop', () => (dropped += 1));
    },
    surplusMs: (socket) => (surpluses.has(socket) ? nextSlotMs() : null),
    get open() {
      return open;
    },
    ...{ limit: served, surplus },
    get dropped() {
      return dropped;
    },
  };
}
