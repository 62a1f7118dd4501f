import { limits, utf8Bytes, type EncodedEnvelope } from '@openclaw/protocol';
import { encodeEvents } from '../live/encoded-text.ts';
import type { Room } from '../live/room.ts';
import type { Slices } from '../slices.ts';

/** What the events of one result may still weigh. */
export interface ByteBudget {
  bytes: number;
}

/** The events that a client missed of a channel, encoded: what follows `lastSeq` is yet to come. */
export interface MissedEvents {
  /** UTF-8 of the events' JSON, separated by commas. */
  readonly pieces: Buffer[];
  count: number;
  lastSeq: number;
}

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
    if (budget.bytes <= 0) return null;
    const known = room.after(missed.lastSeq);
    // What the room remembers and does not fit follows the result, as live events.
    if (known && bytesOf(known) > budget.bytes) break;
    const page = known ?? (await room.page(missed.lastSeq));
    // What the room has not delivered yet comes live: it must not stand in the result too.
    const delivered = page.filter(({ seq }) => seq !== null && seq <= room.head);
    const last = delivered.at(-1)?.seq;
    if (last === undefined || last === null) return null;
    budget.bytes -= await slices.run(encodeEvents(delivered, missed.pieces));
    if (budget.bytes < 0) return null;
    missed.count += delivered.length;
    missed.lastSeq = last;
  }
  return missed;
}

const bytesOf = (events: readonly EncodedEnvelope[]) =>
  events.reduce((sum, { json }) => sum + utf8Bytes(json), 0);
