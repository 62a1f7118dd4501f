import type { EncodedEnvelope } from '@openclaw/protocol';
import { createRingBudget, heapBytesOf, type RingBudget } from './ring-budget.ts';

/** The newest durable events of one channel, without holes, so that most resumes cost no database read. */
export interface EventRing {
  push(event: EncodedEnvelope): void;
  /** Adds what came before the oldest, as far as there is room; ignores what leaves a hole. */
  prepend(events: readonly EncodedEnvelope[]): void;
  /** The seq of the oldest event kept; one past the newest when none is. */
  readonly oldest: number;
  /** The events after `seq` up to the newest, or null when the ring does not reach back that far. */
  after(seq: number): readonly EncodedEnvelope[] | null;
  /** Forgets all up to the last event that holds the message's text: what was deleted is not resumed from memory. */
  forgetMessage(messageId: string): void;
  /** Forgets all, for good. */
  close(): void;
}

/** Options of {@link createEventRing}. */
export interface EventRingOptions {
  /** @default 1_000 */
  readonly maxEvents?: number;
  /** Bytes that its events may take on the heap. @default 1 MiB */
  readonly maxBytes?: number;
  /** The budget that all rings share; the least recently used is emptied first. @default one for this ring alone */
  readonly budget?: RingBudget;
}

/** An empty ring for a channel whose head is `head`. */
export function createEventRing(
  head: number,
  { maxEvents = 1_000, maxBytes = 1_048_576, budget = createRingBudget() }: EventRingOptions = {},
): EventRing {
  // Entries before `first` are forgotten, so that their text is; their places leave the array when they are half of it.
  let events: (EncodedEnvelope | undefined)[] = [];
  let first = 0;
  let bytes = 0;
  let newest = head;
  const share = budget.open(clear);

  function clear(): void {
    events = [];
    first = 0;
    bytes = 0;
  }

  return {
    get oldest() {
      return newest - (events.length - first) + 1;
    },
    push(event) {
      if (event.seq === null) return;
      events.push(event);
      newest = event.seq;
      bytes += heapBytesOf(event);
      for (
        let oldest = events[first];
        oldest && (events.length - first > maxEvents || bytes > maxBytes);
        oldest = events[first]
      ) {
        bytes -= heapBytesOf(oldest);
        events[first] = undefined;
        first += 1;
      }
      if (first > 64 && first * 2 > events.length) {
        events = events.slice(first);
        first = 0;
      }
      share.resize(bytes);
    },
    prepend(earlier) {
      const oldest = newest - (events.length - first) + 1;
      const kept: EncodedEnvelope[] = [];
      let before = oldest;
      for (const event of earlier.toReversed()) {
        if (event.seq === null || event.seq >= oldest) continue;
        const size = heapBytesOf(event);
        const isFull = events.length - first + kept.length >= maxEvents || bytes + size > maxBytes;
        if (isFull || event.seq !== before - 1) break;
        kept.push(event);
        bytes += size;
        before = event.seq;
      }
      events = [...kept.reverse(), ...events.slice(first)];
      first = 0;
      share.resize(bytes);
    },
    after(seq) {
      const wanted = newest - seq;
      if (wanted <= 0) return [];
      if (wanted > events.length - first) return null;
      share.touch();
      return events.slice(events.length - wanted) as EncodedEnvelope[];
    },
    forgetMessage(messageId) {
      const mark = `"id":"${messageId}"`;
      for (let index = events.length - 1; index >= first; index--) {
        const event = events[index];
        if (!event || event.type === 'channel.message.delete' || !event.json.includes(mark))
          continue;
        events = events.slice(index + 1);
        first = 0;
        bytes = events.reduce((sum, kept) => sum + (kept ? heapBytesOf(kept) : 0), 0);
        share.resize(bytes);
        return;
      }
    },
    close() {
      clear();
      share.close();
    },
  };
}
