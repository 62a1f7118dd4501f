import type { EncodedEnvelope } from '@openclaw/protocol';
import { LRUCache } from 'lru-cache';
import { encodeEvents, pieceChars } from '../event-loop/encoding-steps.ts';
import { runNow, type TimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';

export type ReadLog = (after: number) => Promise<readonly EncodedEnvelope[]>;

export interface EncodedPage {
  /** The pieces are the events' JSON in UTF-8, separated by commas. */
  readonly pieces: readonly Buffer[];
  readonly bytes: number;
  readonly count: number;
  readonly lastSeq: number;
}

/**
 * Pages end at multiples of this number. Clients that resume from different seqs then share all pages but the first.
 */
export const pageEvents = 250;
/** When another hub ends, its clients resume here at about the same time, and share these pages. */
const keepPagesMs = 5_000;

export class Backlog {
  readonly #ring: EventRing;
  readonly #readLog: ReadLog;
  readonly #reading = new Map<number, Promise<readonly EncodedEnvelope[]>>();
  #deletions = 0;
  readonly #pages = new Map<number, Promise<EncodedPage | null>>();
  readonly #pagesShare: RingShare;
  #pagesBytes = 0;
  #pagesTimer: NodeJS.Timeout | undefined;

  constructor(head: number, readLog: ReadLog, budget: RingBudget = createRingBudget()) {
    this.#ring = new EventRing(head, { budget });
    this.#pagesShare = budget.open(() => this.#forgetPages());
    this.#readLog = readLog;
  }

  push(event: EncodedEnvelope): void {
    this.#ring.push(event);
  }

  after(seq: number): readonly EncodedEnvelope[] | null {
    return this.#ring.after(seq);
  }

  /**
   * Resolves with all events after `seq` if memory has them, else with at most one page from the store. Concurrent
   * callers share one read.
   */
  page(seq: number): Promise<readonly EncodedEnvelope[]> {
    const known = this.#ring.after(seq);
    if (known) return Promise.resolve(known);
    let reading = this.#reading.get(seq);
    if (!reading) {
      const own = this.#read(seq).finally(() => {
        if (this.#reading.get(seq) === own) this.#reading.delete(seq);
      });
      this.#reading.set(seq, (reading = own));
    }
    return reading;
  }

  /**
   * Null if the event after `seq` does not exist yet or was trimmed. Callers within a few seconds share one encoding.
   */
  encodedPage(
    seq: number,
    head: () => number,
    slices: TimeSlicedQueue,
  ): Promise<EncodedPage | null> {
    const kept = this.#pages.get(seq);
    if (kept) {
      this.#pagesShare.touch();
      return kept;
    }
    const forget = () => {
      if (this.#pages.get(seq) === page) this.#pages.delete(seq);
    };
    const before = this.#deletions;
    const page = this.#encode(seq, head, slices).then(
      (encoded) => {
        // The page may hold a text that was deleted during the encoding.
        if (encoded === null || this.#deletions !== before) forget();
        else if (this.#pages.get(seq) === page) this.#keepPage(encoded.bytes);
        return encoded;
      },
      (error: unknown) => {
        forget();
        throw error;
      },
    );
    this.#pages.set(seq, page);
    return page;
  }

  async #encode(
    seq: number,
    head: () => number,
    slices: TimeSlicedQueue,
  ): Promise<EncodedPage | null> {
    const known = this.#ring.after(seq);
    // A page from the store ends before the oldest event in memory. Later events come from memory.
    const untilKnown = known ? Infinity : this.#ring.oldest - 1;
    const events = known ?? (await this.page(seq));
    const end = Math.min(seq - (seq % pageEvents) + pageEvents, untilKnown, head());
    const page = events.filter((event) => event.seq !== null && event.seq <= end);
    const lastSeq = page.at(-1)?.seq;
    if (lastSeq === undefined || lastSeq === null || page[0]?.seq !== seq + 1) return null;
    const pieces: Buffer[] = [];
    const isSmall = page.reduce((sum, { json }) => sum + json.length, 0) <= pieceChars;
    const steps = encodeEvents(page, pieces);
    const bytes = isSmall ? runNow(steps) : await slices.run(steps);
    return { pieces, bytes, count: page.length, lastSeq };
  }

  #keepPage(bytes: number): void {
    this.#pagesBytes += bytes;
    this.#pagesShare.resize(this.#pagesBytes);
    this.#pagesTimer ??= setTimeout(() => {
      this.#forgetPages();
      this.#pagesShare.resize(0);
    }, keepPagesMs).unref();
  }

  #forgetPages(): void {
    clearTimeout(this.#pagesTimer);
    this.#pagesTimer = undefined;
    this.#pages.clear();
    this.#pagesBytes = 0;
  }

  close(): void {
    this.#ring.close();
    this.#forgetPages();
    this.#pagesShare.close();
  }

  forgetMessage(messageId: string): void {
    this.#forgetCopies();
    this.#ring.forgetMessage(messageId);
  }

  trim(floor: number): void {
    this.#forgetCopies();
    this.#ring.trim(floor);
  }

  /** Call it when rows of the log were rewritten. */
  forgetAll(): void {
    this.#forgetCopies();
    this.#ring.trim(Infinity);
  }

  #forgetCopies(): void {
    this.#deletions += 1;
    // A read in progress may hold the old text, so later callers start another.
    this.#reading.clear();
    this.#forgetPages();
    this.#pagesShare.resize(0);
  }

  async #read(seq: number): Promise<readonly EncodedEnvelope[]> {
    const before = this.#deletions;
    const events = await this.#readLog(seq);
    // After a deletion during the read, the page may hold the deleted message, so the ring does not take it.
    if (this.#deletions === before) this.#ring.prepend(events);
    return events;
  }
}

/** The ring keeps the newest durable events, without gaps, so that most resumes cost no database read. */
export class EventRing {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #share: RingShare;
  #events: EncodedEnvelope[] = [];
  #bytes = 0;
  #newest: number;

  /** `maxBytes` limits the ring's events on the heap. */
  constructor(
    head: number,
    { maxEvents = 1_000, maxBytes = 1_048_576, budget = createRingBudget() } = {},
  ) {
    this.#newest = head;
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
    this.#share = budget.open(() => this.#clear());
  }

  /** The seq of the oldest event. In an empty ring, the seq after the newest event so far. */
  get oldest(): number {
    return this.#newest - this.#events.length + 1;
  }

  push(event: EncodedEnvelope): void {
    if (event.seq === null) return;
    this.#events.push(event);
    this.#newest = event.seq;
    this.#bytes += heapBytesOf(event);
    while (this.#events.length > this.#maxEvents || this.#bytes > this.#maxBytes) {
      const oldest = this.#events.shift();
      if (!oldest) break;
      this.#bytes -= heapBytesOf(oldest);
    }
    this.#share.resize(this.#bytes);
  }

  /** Ignores events that would leave a gap, or exceed the bounds of the ring. */
  prepend(earlier: readonly EncodedEnvelope[]): void {
    const { oldest } = this;
    const kept: EncodedEnvelope[] = [];
    for (const event of earlier.toReversed()) {
      if (event.seq === null || event.seq >= oldest) continue;
      const size = heapBytesOf(event);
      if (this.#events.length + kept.length >= this.#maxEvents) break;
      if (this.#bytes + size > this.#maxBytes || event.seq !== oldest - kept.length - 1) break;
      kept.push(event);
      this.#bytes += size;
    }
    this.#events = [...kept.reverse(), ...this.#events];
    this.#share.resize(this.#bytes);
  }

  /** Null when the ring does not reach back to `seq`. */
  after(seq: number): readonly EncodedEnvelope[] | null {
    const wanted = this.#newest - seq;
    if (wanted <= 0) return [];
    if (wanted > this.#events.length) return null;
    this.#share.touch();
    return this.#events.slice(-wanted);
  }

  /** Drops all events up to the last one that holds the message's text, so that no resume reveals a deleted text. */
  forgetMessage(messageId: string): void {
    const idText = `"id":"${messageId}"`;
    const last = this.#events.findLastIndex(
      (event) => event.type !== 'channel.message.delete' && event.json.includes(idText),
    );
    if (last !== -1) this.#keepFrom(last + 1);
  }

  trim(floor: number): void {
    const first = this.#events.findIndex(({ seq }) => seq !== null && seq >= floor);
    if (first !== 0) this.#keepFrom(first === -1 ? this.#events.length : first);
  }

  #keepFrom(index: number): void {
    this.#events = this.#events.slice(index);
    this.#bytes = this.#events.reduce((sum, kept) => sum + heapBytesOf(kept), 0);
    this.#share.resize(this.#bytes);
  }

  /** The shared budget does not count events that are added after this call. */
  close(): void {
    this.#clear();
    this.#share.close();
  }

  #clear(): void {
    this.#events = [];
    this.#bytes = 0;
  }
}

/** An event takes this many bytes besides its JSON, for the object, its short strings and its array slot. */
const overheadBytes = 300;

/** V8 stores a string with one byte per character if it can, else with two. */
export function heapBytesOf({ json }: EncodedEnvelope): number {
  const isAscii = Buffer.byteLength(json) === json.length;
  return overheadBytes + (isAscii ? 1 : 2) * json.length;
}

/** The rings of all channels share one budget. Past its limit, the least recently used rings are emptied. */
export function createRingBudget({ maxBytes = 64 * 1_048_576 } = {}) {
  const rings = new LRUCache<symbol, () => void>({
    maxSize: maxBytes,
    dispose(clear, _ring, reason) {
      if (reason === 'evict') clear();
    },
  });

  return {
    maxBytes,
    get bytes() {
      return rings.calculatedSize;
    },
    /** The budget calls `clear` to empty the ring. `clear` must not call `resize`. */
    open(clear: () => void) {
      const ring = Symbol('ring');
      let isOpen = true;
      return {
        /** Also marks the ring as used. A ring that alone exceeds the budget is emptied. */
        resize(size: number) {
          rings.delete(ring);
          if (!isOpen || size === 0) return;
          if (size <= maxBytes) rings.set(ring, clear, { size });
          else clear();
        },
        touch: () => void rings.get(ring),
        close() {
          isOpen = false;
          rings.delete(ring);
        },
      };
    },
  };
}

export type RingBudget = ReturnType<typeof createRingBudget>;
type RingShare = ReturnType<RingBudget['open']>;
