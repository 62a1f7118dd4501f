import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

/** How often each socket is pinged. */
export const heartbeatMs = 25_000;
const sweepMs = 1_000;

/**
 * Pings every socket each {@link heartbeatMs}, spread over time, closes those that left two pings unanswered (4408) and
 * those whose token has expired (4401). Returns what stops it.
 */
export function startHeartbeat(sessions: Sessions): () => void {
  const timer = setInterval(() => {
    const nowMs = Date.now();
    for (const session of sessions.all()) sweep(session, nowMs);
  }, sweepMs);
  timer.unref();
  return () => clearInterval(timer);
}

function sweep(session: Session, nowMs: number): void {
  const { expiresAtMs } = session.identity;
  if (expiresAtMs !== null && expiresAtMs <= nowMs) {
    session.close(4401, 'the token has expired');
    return;
  }
  // Of one that lags no pong is read; it is closed if it stays stuck, which session.ts sees.
  if (session.nextPingMs > nowMs || session.isLagging) return;
  if (session.unansweredPings >= 2) {
    session.close(4408, 'two pings without a pong');
    return;
  }
  session.unansweredPings += 1;
  session.nextPingMs = nowMs + heartbeatMs;
  session.ping();
}
