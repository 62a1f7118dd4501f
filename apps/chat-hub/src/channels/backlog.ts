import type { EncodedEnvelope } from '@openclaw/protocol';
import { runNow, type TimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import { encodeEvents, pieceChars } from '../event-loop/encoded-text.ts';
import { createRingBudget, type RingBudget, type RingShare } from './event-ring.ts';
import { createEventRing, type EventRing } from './event-ring.ts';

/** Reads the page of a channel's log that follows a seq. */
export type ReadLog = (after: number) => Promise<readonly EncodedEnvelope[]>;

/** Consecutive events, encoded once for all clients that resume there. */
export interface EncodedPage {
  /** UTF-8 of the events' JSON, separated by commas. */
  readonly pieces: readonly Buffer[];
  readonly bytes: number;
  readonly count: number;
  readonly lastSeq: number;
}

/** Pages end at multiples of this, so that clients resuming from different seqs share all but the first. */
export const pageEvents = 250;
/** How long encoded pages are kept: after a hub's end its clients resume together. */
const keepPagesMs = 5_000;

/** One channel's log for clients that resume: from memory as far as that reaches, else from the store. */
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
    this.#ring = createEventRing(head, { budget });
    this.#pagesShare = budget.open(() => this.#forgetPages());
    this.#readLog = readLog;
  }

  push(event: EncodedEnvelope): void {
    this.#ring.push(event);
  }

  /** All events after `seq`, or null when memory does not reach back that far. */
  after(seq: number): readonly EncodedEnvelope[] | null {
    return this.#ring.after(seq);
  }

  /**
   * The events after `seq`, at most a page when they come from the store. Concurrent callers share one read, and the
   * events are added to memory for later ones.
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
   * At most a page of the events after `seq` up to `head()`, encoded in slices; null when there are none. All callers
   * within some seconds share one encoded page.
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
        // It may hold a text that was deleted while it was encoded.
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
    // A page ends where memory begins: if the rest does not fit into the answer, memory can send it as live events.
    const untilKnown = known ? Infinity : this.#ring.oldest - 1;
    const events = known ?? (await this.page(seq));
    const end = Math.min(seq - (seq % pageEvents) + pageEvents, untilKnown, head());
    const page = events.filter((event) => event.seq !== null && event.seq <= end);
    const lastSeq = page.at(-1)?.seq;
    if (lastSeq === undefined || lastSeq === null) return null;
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

  /** The channel is no longer live: frees its memory. */
  close(): void {
    this.#ring.close();
    this.#forgetPages();
    this.#pagesShare.close();
  }

  /** A message was deleted: memory must not serve its text any more. */
  forgetMessage(messageId: string): void {
    this.#deletions += 1;
    // A read in progress may hold the text, so later callers start another.
    this.#reading.clear();
    this.#forgetPages();
    this.#pagesShare.resize(0);
    this.#ring.forgetMessage(messageId);
  }

  async #read(seq: number): Promise<readonly EncodedEnvelope[]> {
    const before = this.#deletions;
    const events = await this.#readLog(seq);
    // It may hold a text that was deleted while it was read.
    if (this.#deletions === before) this.#ring.prepend(events);
    return events;
  }
}
