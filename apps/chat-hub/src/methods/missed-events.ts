import { limits } from '@openclaw/protocol';
import type { Room } from '../channels/room.ts';
import type { Slices } from '../event-loop/slices.ts';

/** The bytes that are left for the events of one result. */
export interface ByteBudget {
  bytes: number;
}

/** The events that a client missed in a channel, encoded, up to `lastSeq`. */
export interface MissedEvents {
  /** UTF-8 of the events' JSON, separated by commas. */
  readonly pieces: Buffer[];
  count: number;
  lastSeq: number;
}

const comma = Buffer.from(',');

/**
 * Gathers and encodes the events after `since` up to the room's present head, page by page and in slices. Null when
 * they are too many, or too large for the budget, from which they are taken.
 */
export async function gatherMissed(
  room: Room,
  since: number,
  budget: ByteBudget,
  slices: Slices,
): Promise<MissedEvents | null> {
  const target = room.head;
  if (since > target || target - since > limits.resumeEvents) return null;
  const missed: MissedEvents = { pieces: [], count: 0, lastSeq: since };
  while (missed.lastSeq < target) {
    const isRemembered = room.after(missed.lastSeq) !== null;
    if (!isRemembered && budget.bytes <= 0) return null;
    const page = await room.encodedPage(missed.lastSeq, slices);
    if (page === null) return null;
    // Events in the room's memory that do not fit follow the result as live events.
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
