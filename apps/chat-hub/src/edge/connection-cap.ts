import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionLimits } from './open-files.ts';

/** Caps a server's connections, so that file descriptors are left for what the hub itself needs. */
export interface ConnectionCap {
  /** Watches a server. Call it before the server listens. */
  watch(server: Server): void;
  /**
   * Null for a connection that is served, as long as it is open. For a connection beyond the limit, the milliseconds after
   * which its client may come back; each gets another time.
   */
  surplusMs(socket: Duplex): number | null;
  /** Connections that are open now, those included that are being sent away. */
  readonly open: number;
  readonly limit: number;
  /** The most connections over the limit at a time that are accepted, to be told when to come back. */
  readonly surplus: number;
  /** Connections dropped without an answer, because even the surplus was used up. */
  readonly dropped: number;
}

/** Options of {@link createConnectionCap}. */
export interface ConnectionCapOptions extends ConnectionLimits {
  /** How many clients are asked to come back within one second, so that they do not all come back at once. */
  readonly perSecond: number;
}

/** The earliest and the latest time at which a surplus client may come back, ms from now. */
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
