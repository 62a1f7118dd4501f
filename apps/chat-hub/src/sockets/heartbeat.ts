import type { Session } from './session.ts';

/** How often each socket is pinged. */
export const heartbeatMs = 25_000;
const sweepMs = 1_000;
const maxUnansweredPings = 2;

/** Finds sockets whose peer vanished or whose token expired. */
export interface Heartbeat {
  /** Begins to ping a session, at a random time within {@link heartbeatMs}. */
  watch(session: Session): PingState;
  close(): void;
}

/** The pings of one session. */
export interface PingState {
  /** The peer answered. */
  pong(): void;
  /** The socket is closed. */
  end(): void;
}

interface Watched {
  readonly session: Session;
  unanswered: number;
  nextPingMs: number;
}

/**
 * Pings every watched session each {@link heartbeatMs}, closes those that leave two pings unanswered (4408) and those
 * whose token has expired (4401).
 */
export function createHeartbeat(): Heartbeat {
  const watched = new Set<Watched>();
  const timer = setInterval(() => {
    const nowMs = Date.now();
    for (const one of watched) sweep(one, nowMs);
  }, sweepMs).unref();
  return {
    watch(session) {
      const nextPingMs = Date.now() + Math.random() * heartbeatMs;
      const one: Watched = { session, unanswered: 0, nextPingMs };
      watched.add(one);
      return {
        pong: () => void (one.unanswered = 0),
        end: () => void watched.delete(one),
      };
    },
    close: () => clearInterval(timer),
  };
}

function sweep(one: Watched, nowMs: number): void {
  const { session } = one;
  const { expiresAtMs } = session.identity;
  if (expiresAtMs !== null && expiresAtMs <= nowMs) {
    session.close(4401, 'the token has expired');
    return;
  }
  // The pongs of a lagging session are not read. One that stays stuck is closed by the session itself.
  if (one.nextPingMs > nowMs || session.isLagging) return;
  if (one.unanswered >= maxUnansweredPings) {
    session.close(4408, 'two pings without a pong');
    return;
  }
  one.unanswered += 1;
  one.nextPingMs = nowMs + heartbeatMs;
  session.ping();
}
