import type { EncodedEnvelope } from '@openclaw/protocol';
import type { RingBudget } from './ring-budget.ts';
import { createEventRing, type EventRing } from './ring.ts';

/** Reads the page of a channel's log that follows a seq. */
export type ReadLog = (after: number) => Promise<readonly EncodedEnvelope[]>;

/** One channel's log for those who come back to it: from memory as far as that reaches, else from the store. */
export class Backlog {
  readonly #ring: EventRing;
  readonly #readLog: ReadLog;
  readonly #reading = new Map<number, Promise<readonly EncodedEnvelope[]>>();
  #deletions = 0;

  constructor(head: number, readLog: ReadLog, budget?: RingBudget) {
    this.#ring = createEventRing(head, budget && { budget });
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
   * The events after `seq`, one page at most when they come from the store. However many ask for the same page, it is
   * read once, and what it brings is remembered for those who come a moment later: a hub's clients return together.
   */
  page(seq: number): Promise<readonly EncodedEnvelope[]> {
    const known = this.#ring.after(seq);
    if (known) return Promise.resolve(known);
    let reading = this.#reading.get(seq);
    if (!reading) {
      reading = this.#read(seq).finally(() => this.#reading.delete(seq));
      this.#reading.set(seq, reading);
    }
    return reading;
  }

  /** The channel is no longer live: its memory is given back. */
  close(): void {
    this.#ring.close();
  }

  /** A message was deleted: its text is not served from memory any more. */
  forgetMessage(messageId: string): void {
    this.#deletions += 1;
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
