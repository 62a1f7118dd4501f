import { setTimeout as delay } from 'node:timers/promises';
import type { ChatStore } from '@openclaw/chat-store';
import { refuse, type Refusal } from '@openclaw/protocol';
import { whyNotMember } from '../methods/rights.ts';
import { isWithinBounds, type Identity } from '../edge/identity.ts';
import type { Rooms } from './rooms.ts';

/**
 * The most waiting reads of one agent on this hub. An agent without a socket needs one for each channel that it
 * follows.
 */
const maxPerAgent = 16;
/**
 * The most waiting reads on this hub. Each keeps a connection open, and one event makes all readers of its channel
 * read.
 */
const maxPerHub = 4_096;
/** How long a refused client should wait before it tries again. */
const retryMs = 1_000;
/** How long a drain waits for the answers of the reads that it ended. */
const answersMs = 1_000;

/** Registers a listener for the end of a call's connection. Returns a function that removes it. */
export type OnGone = (listener: () => void) => () => void;

/** A read of a log that waits for its next event. */
export interface LogWait {
  readonly identity: Identity;
  readonly channelId: string;
  readonly after: number;
  readonly waitMs: number;
  /** Ends the wait when the connection of the call ends. */
  readonly onGone: OnGone;
}

/** `read`: read the log now. `gone`: nobody waits for the answer any more. */
export type Waited = 'read' | 'gone' | Refusal;

type End = (reason: Waited) => void;

const revoked = refuse('unauthorized', 'the token was revoked');

/**
 * The reads of logs that wait for an event. Each costs the database one look-up at its start. The channel's room ends
 * the wait, also when the event was found in the store and not on the bus. The log is read after the wait, with a check
 * of the rights. An agent that was removed meanwhile is therefore refused.
 */
export function createLogWaits(deps: {
  readonly store: Pick<ChatStore, 'access'>;
  readonly rooms: Pick<Rooms, 'open' | 'left' | 'epochGeneration'>;
  /**
   * True when the token was revoked in the last minute: a call that was verified earlier may begin to wait only now.
   */
  readonly isRevoked: (identity: Identity) => boolean;
  /** Turns a failure of the wait into the refusal of the call. */
  readonly onFailed: (error: unknown) => Refusal;
  /** @default 16 */
  readonly perAgent?: number;
  /** @default 4096 */
  readonly perHub?: number;
}) {
  const { store, rooms, isRevoked, perAgent = maxPerAgent, perHub = maxPerHub } = deps;
  const waits = new Set<{ readonly identity: Identity; readonly end: End }>();
  const counts = new Map<string, number>();
  let size = 0;
  let isDraining = false;

  /** Reserves a slot for a wait of the agent, or returns the refusal. */
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

  /**
   * The head of the channel's log, or null when the agent may not read it. The read that follows returns the refusal.
   */
  async function readableHead(identity: Identity, channelId: string): Promise<number | null> {
    if (!isWithinBounds(identity, channelId)) return null;
    const access = (await store.access(identity.agentId, [channelId])).get(channelId);
    return access && whyNotMember(access, identity) === null ? access.head : null;
  }

  async function waitForEvent({ identity, ...wait }: LogWait, ended: Promise<Waited>, end: End) {
    const { channelId, after } = wait;
    const { epochGeneration } = rooms;
    // The rights are checked before the room is opened, because an outsider must not open one.
    const head = await readableHead(identity, channelId);
    // An `after` above the head belongs to another epoch. The client sees this from the head in the answer.
    if (head === null || head !== after) return 'read';
    const room = await rooms.open(channelId);
    const unwatch = room.watch((seq) => {
      if (seq === null || seq > after) end('read');
    });
    try {
      // The room already listens, so an event that it has not delivered yet will end the wait.
      if (room.head > after || rooms.epochGeneration !== epochGeneration) return 'read';
      room.raise(head);
      return await ended;
    } finally {
      unwatch();
      rooms.left(room);
    }
  }

  /** Waits in the slot that the caller has reserved. Rejects with ChatStoreError. */
  async function waitInPlace(wait: LogWait): Promise<Waited> {
    const { identity, onGone, waitMs } = wait;
    const { promise, resolve: end } = Promise.withResolvers<Waited>();
    const own = { identity, end };
    waits.add(own);
    const removeListener = onGone(() => end('gone'));
    const untilExpiryMs = (identity.expiresAtMs ?? Infinity) - Date.now();
    const last = untilExpiryMs < waitMs ? refuse('unauthorized', 'the token has expired') : 'read';
    const timer = setTimeout(() => end(last), Math.max(0, Math.min(waitMs, untilExpiryMs)));
    try {
      // The database or the bus may answer late, so the end of the wait does not depend on them.
      return await Promise.race([promise, waitForEvent(wait, promise, end)]);
    } finally {
      end('read');
      clearTimeout(timer);
      removeListener();
      waits.delete(own);
    }
  }

  return {
    /** Reads that wait or are being answered. */
    get size() {
      return size;
    },
    /**
     * Waits, then calls `respond`, which answers the call. The wait counts against the limits until the call is
     * answered.
     */
    async run(wait: LogWait, respond: (waited: Waited) => Promise<void>): Promise<void> {
      const { agentId } = wait.identity;
      if (isRevoked(wait.identity)) return respond(revoked);
      const refusal = enter(agentId);
      if (refusal) return respond(refusal);
      try {
        await respond(await waitInPlace(wait).catch(deps.onFailed));
      } finally {
        leave(agentId);
      }
    },
    /** Ends the waits of the identities whose token was revoked. */
    endRevoked(isEnded: (identity: Identity) => boolean) {
      for (const { identity, end } of waits) if (isEnded(identity)) end(revoked);
    },
    /** Ends all waits, and refuses new ones. Resolves once all are answered, at the latest after a second. */
    async drain() {
      isDraining = true;
      for (const { end } of waits) end('read');
      const endMs = performance.now() + answersMs;
      while (size > 0 && performance.now() < endMs) await delay(5);
    },
  };
}

export type LogWaits = ReturnType<typeof createLogWaits>;
