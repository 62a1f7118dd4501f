import { setTimeout as delay } from 'node:timers/promises';
import { refuse, type Refusal } from '@openclaw/protocol';
import type { Identity } from '../edge/identity.ts';

/** Each waiting call keeps a connection open, and one event can make many calls read at the same time. */
const maxPerHub = 4_096;
const retryMs = 1_000;
const answersMs = 1_000;

export type OnGone = (listener: () => void) => () => void;

export interface CallWait {
  readonly identity: Identity;
  readonly waitMs: number;
  readonly onGone: OnGone;
}

/** `read`: the caller must read now. `gone`: the client no longer waits for the answer. */
export type Waited = 'read' | 'gone' | Refusal;

export type EndWait = (reason: Waited) => void;

const revoked = refuse('unauthorized', 'the token was revoked');

/** Waits for an event. `ended` resolves if the wait ends before the event. */
export type Await = (ended: Promise<Waited>, end: EndWait) => Promise<Waited>;

/**
 * Limits the number of waiting calls. A wait ends with its time, its connection or its token, or when the hub stops.
 */
export function createCallWaits(deps: {
  /**
   * True when the token was revoked in the last minute. A token may be revoked after its call was checked and before
   * the wait begins.
   */
  readonly isRevoked: (identity: Identity) => boolean;
  readonly onFailed: (error: unknown) => Refusal;
  readonly perAgent: number;
  readonly perHub?: number | undefined;
}) {
  const { isRevoked, perAgent, perHub = maxPerHub } = deps;
  const waits = new Set<{ readonly identity: Identity; readonly end: EndWait }>();
  const counts = new Map<string, number>();
  let size = 0;
  let isDraining = false;

  function enter(agentId: string): Refusal | null {
    if (isDraining) return refuse('unavailable', 'the hub is draining', retryMs);
    const own = counts.get(agentId) ?? 0;
    if (own >= perAgent)
      return refuse('rate_limited', `at most ${perAgent} reads of an agent may wait`, retryMs);
    if (size >= perHub) return refuse('rate_limited', 'too many reads wait on this hub', retryMs);
    counts.set(agentId, own + 1);
    size += 1;
    return null;
  }

  function leave(agentId: string): void {
    const own = (counts.get(agentId) ?? 1) - 1;
    if (own > 0) counts.set(agentId, own);
    else counts.delete(agentId);
    size -= 1;
  }

  /** Needs a slot that the caller has reserved. Rejects with ChatStoreError. */
  async function waitInPlace(wait: CallWait, awaitEvent: Await): Promise<Waited> {
    const { identity, onGone, waitMs } = wait;
    const { promise, resolve: end } = Promise.withResolvers<Waited>();
    const own = { identity, end };
    waits.add(own);
    const removeListener = onGone(() => end('gone'));
    const untilExpiryMs = (identity.expiresAtMs ?? Infinity) - Date.now();
    const last = untilExpiryMs < waitMs ? refuse('unauthorized', 'the token has expired') : 'read';
    const timer = setTimeout(() => end(last), Math.max(0, Math.min(waitMs, untilExpiryMs)));
    try {
      // The wait must end in time, even if the database or the bus does not answer.
      return await Promise.race([promise, awaitEvent(promise, end)]);
    } finally {
      end('read');
      clearTimeout(timer);
      removeListener();
      waits.delete(own);
    }
  }

  return {
    get size() {
      return size;
    },
    /** The call counts against the limits until `respond` has ended. */
    async run(
      wait: CallWait,
      awaitEvent: Await,
      respond: (waited: Waited) => Promise<void>,
    ): Promise<void> {
      const { agentId } = wait.identity;
      if (isRevoked(wait.identity)) return respond(revoked);
      const refusal = enter(agentId);
      if (refusal) return respond(refusal);
      try {
        await respond(await waitInPlace(wait, awaitEvent).catch(deps.onFailed));
      } finally {
        leave(agentId);
      }
    },
    endRevoked(isEnded: (identity: Identity) => boolean) {
      for (const { identity, end } of waits) if (isEnded(identity)) end(revoked);
    },
    /** Refuses new waits. Resolves once all are answered, at the latest after a second. */
    async drain() {
      isDraining = true;
      for (const { end } of waits) end('read');
      const endMs = performance.now() + answersMs;
      while (size > 0 && performance.now() < endMs) await delay(5);
    },
  };
}
