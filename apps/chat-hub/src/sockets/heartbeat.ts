import type { Session } from './session.ts';

export const heartbeatMs = 25_000;
const sweepMs = 1_000;
const maxUnansweredPings = 2;

interface Pings {
  unanswered: number;
  nextMs: number;
}

/** Closes sessions that leave two pings unanswered (4408) and sessions whose token has expired (4401). */
export function createHeartbeat() {
  const watched = new Map<Session, Pings>();
  const timer = setInterval(() => {
    const nowMs = Date.now();
    for (const [session, pings] of watched) sweep(session, pings, nowMs);
  }, sweepMs).unref();
  return {
    watch(session: Session) {
      watched.set(session, { unanswered: 0, nextMs: Date.now() + Math.random() * heartbeatMs });
    },
    pong(session: Session) {
      const pings = watched.get(session);
      if (pings) pings.unanswered = 0;
    },
    forget: (session: Session) => void watched.delete(session),
    close: () => clearInterval(timer),
  };
}

export type Heartbeat = ReturnType<typeof createHeartbeat>;

function sweep(session: Session, pings: Pings, nowMs: number): void {
  const { expiresAtMs } = session.identity;
  if (expiresAtMs !== null && expiresAtMs <= nowMs) {
    session.close(4401, 'the token has expired');
    return;
  }
  // The hub reads no pongs of a lagging session, so it sends no pings. A session that stays stuck closes itself.
  if (pings.nextMs > nowMs || session.isLagging) return;
  if (pings.unanswered >= maxUnansweredPings) {
    session.close(4408, 'two pings without a pong');
    return;
  }
  pings.unanswered += 1;
  pings.nextMs = nowMs + heartbeatMs;
  session.ping();
}
