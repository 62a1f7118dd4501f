import { setTimeout as delay } from 'node:timers/promises';
import type { ChatStore } from '@openclaw/chat-store';
import { limits, type EncodedEnvelope } from '@openclaw/protocol';
import type { Room } from '../channels/room.ts';
import { pieceChars } from '../event-loop/encoded-text.ts';
import { Conflation, type Signal } from './conflation.ts';
import type { SocketOutput } from './output.ts';

/** How long a session waits after the store failed. */
const retryMs = 1_000;

/** The session that catches up. */
export interface CatchUpSession {
  readonly agentId: string;
  /** True while an answer is being made that names the seqs to continue from. */
  readonly isCatchUpPaused: boolean;
  /** Resolves when the peer has taken everything written so far and catching up may go on, or the socket is closed. */
  whenWritable(): Promise<void>;
  /** Called synchronously when everything pending was sent: from now on rooms send directly. */
  caughtUp(): void;
}

/** The events of a room still to be sent: all after `afterSeq`, up to `untilSeq` if the session was removed there. */
interface Pending {
  afterSeq: number;
  untilSeq: number | null;
}

/**
 * Sends one session what its rooms could not send directly because it reads too slowly or starts behind: first the
 * durable events, from the rooms' memory or the store, page by page as the peer takes them; then the latest typing and
 * presence.
 */
export class CatchUp {
  readonly #session: CatchUpSession;
  readonly #output: SocketOutput;
  readonly #store: Pick<ChatStore, 'logPage'>;
  readonly #pending = new Map<Room, Pending>();
  readonly #missedSignals = new Conflation<Room>();
  #isRunning = false;

  constructor(session: CatchUpSession, output: SocketOutput, store: Pick<ChatStore, 'logPage'>) {
    this.#session = session;
    this.#output = output;
    this.#store = store;
  }

  /** True while events of the room are pending, so that later ones must wait. */
  isBehind(room: Room): boolean {
    return this.#pending.has(room);
  }

  /** Makes all events of the room after `afterSeq` pending, unless earlier ones are pending already. */
  backlogFrom(room: Room, afterSeq: number): void {
    if (!this.#pending.has(room)) this.#pending.set(room, { afterSeq, untilSeq: null });
  }

  /** Keeps missed typing and presence. Returns false when the session has missed too much of them. */
  keepSignals(room: Room, signals: readonly Signal[]): boolean {
    return this.#missedSignals.keep(room, signals);
  }

  /** The client subscribed again while events were pending, and its answer says that it continues after `afterSeq`. */
  skipTo(room: Room, afterSeq: number): void {
    const pending = this.#pending.get(room);
    if (!pending) return;
    pending.afterSeq = Math.max(pending.afterSeq, afterSeq);
    pending.untilSeq = null;
  }

  /** The session was removed from the room by the event `seq`, which is the last that it gets. */
  endAt(room: Room, seq: number): void {
    const pending = this.#pending.get(room);
    if (pending) pending.untilSeq = seq;
    this.#missedSignals.forget(room);
  }

  /** Drops everything pending of the room. */
  forget(room: Room): void {
    this.#pending.delete(room);
    this.#missedSignals.forget(room);
  }

  clear(): void {
    this.#pending.clear();
    this.#missedSignals.clear();
  }

  /** Tells the client that the room continues after `head`; pending events up to there are dropped. */
  discontinue(room: Room, reason: 'epoch' | 'behind', head: number): void {
    this.#pending.delete(room);
    const params = { channelId: room.channelId, head, reason };
    this.#output.send(JSON.stringify({ jsonrpc: '2.0', method: 'discontinuity', params }));
    this.#sendSignals(room);
  }

  /** Sends until nothing is pending. While it runs, rooms add to what is pending instead of sending directly. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#output.isOpen) {
      await this.#session.whenWritable();
      const [next] = this.#pending;
      const room = this.#missedSignals.next();
      if (next) await this.#sendPageOrRetry(...next);
      else if (room) this.#sendSignals(room);
      else break;
    }
    this.#isRunning = false;
    this.#session.caughtUp();
  }

  async #sendPageOrRetry(room: Room, pending: Pending): Promise<void> {
    try {
      await this.#sendPage(room, pending);
    } catch {
      // The store is away and reports that itself. The events stay pending.
      await delay(retryMs, undefined, { ref: false });
    }
  }

  /** Sends one page of a room's pending events, or a discontinuity when they are too many. */
  async #sendPage(room: Room, pending: Pending): Promise<void> {
    if ((pending.untilSeq ?? room.head) - pending.afterSeq > limits.resumeEvents) {
      // Events still to be framed are at or below the head that the client is told.
      room.flush();
      const { untilSeq } = pending;
      this.discontinue(room, 'behind', untilSeq === null ? room.head : untilSeq - 1);
      // A removed session still gets the event that removed it.
      if (untilSeq !== null) this.#pending.set(room, { afterSeq: untilSeq - 1, untilSeq });
      return;
    }
    const allowed = this.#output.openPage();
    try {
      await this.#sendPageOf(room, pending, allowed.bytes);
    } finally {
      allowed.release();
    }
  }

  async #sendPageOf(room: Room, pending: Pending, maxBytes: number): Promise<void> {
    const { afterSeq } = pending;
    const inMemory = room.after(afterSeq);
    const page = firstOf(inMemory ?? (await this.#readLog(room, afterSeq, maxBytes)), maxBytes);
    // A large page is encoded beforehand, as nothing may come between the checks below and its sending.
    const upTo = Math.min(room.head, pending.untilSeq ?? Infinity);
    const wanted = page.filter(({ seq }) => seq !== null && seq > afterSeq && seq <= upTo);
    const frames = sizeOf(wanted) > pieceChars ? await this.#output.encodeEvents(wanted) : null;
    // While this waited the session may have left, got a discontinuity, skipped ahead or been removed at an earlier seq.
    if (this.#pending.get(room) !== pending || pending.afterSeq !== afterSeq) return;
    if (this.#session.isCatchUpPaused) return;
    if (frames && pending.untilSeq !== null && pending.untilSeq < upTo) return;
    // Synchronous from here on: each event delivered by now is either sent here or already flushed to the others.
    room.flush();
    const target = pending.untilSeq ?? room.head;
    let events = wanted;
    if (frames) {
      for (const frame of frames) this.#output.enqueue(frame);
    } else {
      events = page.filter(({ seq }) => seq !== null && seq > afterSeq && seq <= target);
      this.#output.enqueueEvents(events);
    }
    pending.afterSeq = events.at(-1)?.seq ?? (page.length === 0 ? target : pending.afterSeq);
    if (pending.afterSeq < target) return;
    this.#pending.delete(room);
    this.#sendSignals(room);
  }

  // In its agent's name, so that an agent with many slow sockets takes turns with others.
  async #readLog({ channelId }: Room, afterSeq: number, maxBytes: number) {
    const { agentId } = this.#session;
    const { logPage } = limits;
    return (await this.#store.logPage(channelId, afterSeq, logPage, maxBytes, agentId)).events;
  }

  /** Sends missed typing and presence of a room, before the room can send anything newer directly. */
  #sendSignals(room: Room): void {
    const events = this.#missedSignals.take(room);
    if (events.length > 0) this.#output.enqueueEvents(events);
  }
}

const sizeOf = (events: readonly EncodedEnvelope[]) =>
  events.reduce((sum, { json }) => sum + json.length, 0);

/** The first events, as many as fit into `maxChars`; at least one. */
function firstOf(events: readonly EncodedEnvelope[], maxChars: number): readonly EncodedEnvelope[] {
  let length = 0;
  const end = events.findIndex(
    ({ json }, index) => (length += json.length) > maxChars && index > 0,
  );
  return end === -1 ? events : events.slice(0, end);
}
