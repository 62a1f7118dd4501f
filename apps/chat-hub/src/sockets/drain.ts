import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { encodeCloseReason } from '@openclaw/protocol';
import type { Sessions } from './sessions.ts';
import type { Session } from './session.ts';

/** Options of {@link drainSessions}. */
export interface DrainOptions {
  /** Sockets sent away a second, so that the hubs which stay are not stormed. */
  readonly perSecond: number;
  /** @default 1000 */
  readonly minMs?: number;
  /** Beyond `perSecond × maxMs` sockets they go faster. @default 10_000 */
  readonly maxMs?: number;
  /** How long a socket whose slot is there may wait for answers to its calls. @default 1000 */
  readonly answersMs?: number;
  /** How long sockets may take to close before they are cut. @default 2000 */
  readonly closeMs?: number;
}

/** Clients told in one turn of the event loop: a few ms of work. */
const toldAtOnce = 200;

/** How long it takes to send so many sockets away. */
export function drainLengthMs(sockets: number, options: DrainOptions): number {
  const { perSecond, minMs = 1_000, maxMs = 10_000 } = options;
  return Math.min(maxMs, Math.max(minMs, (sockets * 1_000) / perSecond));
}

/**
 * Sends every client away at a moment of its own, evenly spread: each is told at once, is served until then, gets the
 * answers to its calls, and is closed with 4503. Resolves when all are gone; who does not go is cut.
 */
export async function drainSessions(sessions: Sessions, options: DrainOptions): Promise<void> {
  const { answersMs = 1_000, closeMs = 2_000 } = options;
  const leaving = [...sessions.all()];
  if (leaving.length === 0) return;
  const apartMs = drainLengthMs(leaving.length, options) / leaving.length;
  const startMs = performance.now();
  const leftMs = (place: number) =>
    Math.max(0, Math.round(startMs + place * apartMs - performance.now()));
  for (const [place, session] of leaving.entries()) {
    if (place % toldAtOnce === toldAtOnce - 1) await nextTurn();
    tell(session, leftMs(place));
  }

  const partings: Promise<void>[] = [];
  for (const [place, session] of leaving.entries()) {
    const waitMs = leftMs(place);
    if (waitMs > 0) await delay(waitMs);
    partings.push(part(session, answersMs));
  }
  await Promise.all(partings);
  const endMs = performance.now() + closeMs;
  while (sessions.size > 0 && performance.now() < endMs) await delay(20);
  for (const session of sessions.all()) session.terminate();
}

function tell(session: Session, afterMs: number): void {
  // Nothing is sent before the welcome: such a client learns of the drain by its close.
  if (session.phase.name === 'welcoming') return;
  const params = { afterMs, reason: 'draining' };
  session.send(JSON.stringify({ jsonrpc: '2.0', method: 'reconnect', params }));
}

/** Closes a socket as soon as it has the answers to its calls. */
async function part(session: Session, answersMs: number): Promise<void> {
  const endMs = performance.now() + answersMs;
  while (session.isOpen && session.callsInFlight > 0 && performance.now() < endMs) await delay(5);
  session.close(4503, encodeCloseReason(0));
}
