import type { EncodedEnvelope } from '@openclaw/protocol';

/** The newest durable events of one channel, without gaps, so that most resumes cost no database read. */
export interface EventRing {
  push(event: EncodedEnvelope): void;
  /** Adds events before the oldest, as far as there is room; ignores those that would leave a gap. */
  prepend(events: readonly EncodedEnvelope[]): void;
  /** The seq of the oldest event kept; one past the newest when none is. */
  readonly oldest: number;
  /** The events after `seq` up to the newest, or null when the ring does not reach back that far. */
  after(seq: number): readonly EncodedEnvelope[] | null;
  /** Drops all events up to the last one that holds the message's text, so that no resume reveals a deleted text. */
  forgetMessage(messageId: string): void;
  /** Drops all events; later ones are not counted. */
  close(): void;
}

/** Options of {@link createEventRing}. */
export interface EventRingOptions {
  /** @default 1_000 */
  readonly maxEvents?: number;
  /** Bytes that its events may take on the heap. @default 1 MiB */
  readonly maxBytes?: number;
  /** @default one for this ring alone */
  readonly budget?: RingBudget;
}

/** An empty ring for a channel whose head is `head`. */
export function createEventRing(
  head: number,
  { maxEvents = 1_000, maxBytes = 1_048_576, budget = createRingBudget() }: EventRingOptions = {},
): EventRing {
  // Entries before `first` are cleared at once, and cut off the array when they are half of it.
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
      const idText = `"id":"${messageId}"`;
      for (let index = events.length - 1; index >= first; index--) {
        const event = events[index];
        if (!event || event.type === 'channel.message.delete' || !event.json.includes(idText))
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

/** The memory that the rings of all channels share. Past its limit the least recently used rings are emptied. */
export interface RingBudget {
  /** Bytes that all rings hold now. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** Adds an empty ring. `clear` must empty it without calling `resize`. */
  open(clear: () => void): RingShare;
}

/** One ring's share of the budget. */
export interface RingShare {
  /** The ring was used and holds this many bytes. Empties the ring itself if it alone is over the budget. */
  resize(bytes: number): void;
  /** The ring was read. */
  touch(): void;
  close(): void;
}

/** Bytes of an event besides its JSON: the object, its short strings, its array slot. */
const overheadBytes = 300;

/** Bytes of an event on the heap. V8 stores a string in one byte a character if it can, else in two. */
export function heapBytesOf({ json }: EncodedEnvelope): number {
  const isAscii = Buffer.byteLength(json) === json.length;
  return overheadBytes + (isAscii ? 1 : 2) * json.length;
}

/** Creates the one budget of a hub. */
export function createRingBudget({ maxBytes = 64 * 1_048_576 } = {}): RingBudget {
  /** Bytes by ring, the least recently used first. */
  const rings = new Map<() => void, number>();
  let total = 0;

  function put(clear: () => void, bytes: number): void {
    total += bytes - (rings.get(clear) ?? 0);
    rings.delete(clear);
    if (bytes > 0) rings.set(clear, bytes);
  }

  return {
    maxBytes,
    get bytes() {
      return total;
    },
    open(clear) {
      let isOpen = true;
      return {
        resize(bytes) {
          if (!isOpen) return;
          put(clear, bytes);
          for (const [clearOldest] of rings) {
            if (total <= maxBytes) return;
            put(clearOldest, 0);
            clearOldest();
          }
        },
        touch() {
          const bytes = rings.get(clear);
          if (bytes !== undefined) put(clear, bytes);
        },
        close() {
          isOpen = false;
          put(clear, 0);
        },
      };
    },
  };
}
