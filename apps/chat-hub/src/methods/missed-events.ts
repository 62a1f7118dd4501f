import { ChatStoreError } from '@openclaw/chat-store';
import { limits } from '@openclaw/protocol';
import type { Room } from '../channels/room.ts';
import type { TimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';

export interface ByteBudget {
  bytes: number;
}

/**
 * Returns a function that makes the reads of one call, for all its topics. Once a read has failed or `maxMs` have
 * passed, further reads reject at once.
 */
export function createLogReader(maxMs: number) {
  const endMs = performance.now() + maxMs;
  let failure: ChatStoreError | undefined;
  return async function readLog<T>(read: () => Promise<T>): Promise<T> {
    if (failure) throw failure;
    if (performance.now() >= endMs) {
      throw (failure = new ChatStoreError('unavailable', 'the log is read too slowly'));
    }
    try {
      return await read();
    } catch (error) {
      if (error instanceof ChatStoreError) failure = error;
      throw error;
    }
  };
}

type LogReader = ReturnType<typeof createLogReader>;

export interface MissedEvents {
  /** Joined, the pieces are the events' JSON in UTF-8, separated by commas. */
  readonly pieces: Buffer[];
  count: number;
  lastSeq: number;
}

const comma = Buffer.from(',');

/**
 * Reads page by page, and encodes in slices of time. Resolves with null when the events are too many, too large or
 * trimmed. Rejects with ChatStoreError.
 */
export async function gatherMissed(
  room: Room,
  since: number,
  budget: ByteBudget,
  slices: TimeSlicedQueue,
  readLog: LogReader,
): Promise<MissedEvents | null> {
  const target = room.head;
  if (since < room.floor - 1) return null;
  if (since > target || target - since > limits.resumeEvents) return null;
  const missed: MissedEvents = { pieces: [], count: 0, lastSeq: since };
  while (missed.lastSeq < target) {
    const isRemembered = room.after(missed.lastSeq) !== null;
    if (!isRemembered && budget.bytes <= 0) return null;
    const encode = () => room.encodedPage(missed.lastSeq, slices);
    const page = await (isRemembered ? encode() : readLog(encode));
    if (page === null) return null;
    // These events are still in memory, so they can be sent live after the result.
    if (isRemembered && page.bytes > budget.bytes) break;
    budget.bytes -= page.bytes;
    if (budget.bytes < 0) return null;
    if (missed.pieces.length > 0) missed.pieces.push(comma);
    missed.pieces.push(...page.pieces);
    missed.count += page.count;
    missed.lastSeq = page.lastSeq;
  }
  return missed;
}
