import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { encodeCloseReason } from '@openclaw/protocol';
import type { Sessions } from './sessions.ts';
import type { Session } from './session.ts';

export interface DrainOptions {
  /** How many sockets close per second. Their clients reconnect to the remaining hubs at this rate. */
  readonly perSecond: number;
  /** The drain lasts at least this long. @default 1000 */
  readonly minMs?: number;
  /** The drain lasts at most this long, if necessary at a higher rate than `perSecond`. @default 10_000 */
  readonly maxMs?: number;
  /** How long a socket may stay open after its slot, to get the answers to its calls. @default 1000 */
  readonly answersMs?: number;
  /** How long a socket has for its close handshake. After this time it is destroyed. @default 2000 */
  readonly closeMs?: number;
}

/** Notifying this many sessions takes a few ms of a turn of the event loop. */
const notifiedPerTurn = 200;

export function drainLengthMs(sockets: number, options: DrainOptions): number {
  const { perSecond, minMs = 1_000, maxMs = 10_000 } = options;
  return Math.min(maxMs, Math.max(minMs, (sockets * 1_000) / perSecond));
}

/**
 * Closes all sessions, evenly spread over time. Each client learns at once when its slot is, and is served until then.
 * The session is closed with 4503 when the client has the answers to its calls. Resolves when all sessions are closed.
 */
export async function drainSessions(sessions: Sessions, options: DrainOptions): Promise<void> {
  const { answersMs = 1_000, closeMs = 2_000 } = options;
  const leaving = [...sessions.all()];
  if (leaving.length === 0) return;
  const apartMs = drainLengthMs(leaving.length, options) / leaving.length;
  const startMs = performance.now();
  const leftMs = (slot: number) =>
    Math.max(0, Math.round(startMs + slot * apartMs - performance.now()));
  for (const [slot, session] of leaving.entries()) {
    if (slot % notifiedPerTurn === notifiedPerTurn - 1) await nextTurn();
    notify(session, leftMs(slot));
  }

  const closing: Promise<void>[] = [];
  for (const [slot, session] of leaving.entries()) {
    const waitMs = leftMs(slot);
    if (waitMs > 0) await delay(waitMs);
    closing.push(closeAfterAnswers(session, answersMs));
  }
  await Promise.all(closing);
  const endMs = performance.now() + closeMs;
  while (sessions.size > 0 && performance.now() < endMs) await delay(20);
  for (const session of sessions.all()) session.terminate();
}

function notify(session: Session, afterMs: number): void {
  // The welcome must be the first message, so this client learns of the drain only when its socket is closed.
  if (session.phase.name === 'welcoming') return;
  const params = { afterMs, reason: 'draining' };
  session.send(JSON.stringify({ jsonrpc: '2.0', method: 'reconnect', params }));
}

async function closeAfterAnswers(session: Session, answersMs: number): Promise<void> {
  const endMs = performance.now() + answersMs;
  while (session.isOpen && session.callsInFlight > 0 && performance.now() < endMs) await delay(5);
  session.close(4503, encodeCloseReason(0));
}
