import { setTimeout as delay } from 'node:timers/promises';
import type { ChatStore } from '@openclaw/chat-store';
import { limits, type EncodedEnvelope } from '@openclaw/protocol';
import { Conflation, type Signal } from './conflation.ts';
import { pieceChars } from '../event-loop/encoded-text.ts';
import type { Room } from '../channels/room.ts';

/** How long a socket that catches up waits after the store failed. */
const retryMs = 1_000;

/** The socket that catches up. */
export interface CatchUpSocket {
  readonly agentId: string;
  readonly isOpen: boolean;
  /** False while an answer is being made, or held back, that says where rooms go on. */
  readonly mayCatchUp: boolean;
  send(text: string): void;
  enqueueEvents(events: readonly EncodedEnvelope[]): void;
  /** Encodes events in slices; resolves with their frames, for {@link CatchUpSocket.enqueue}. */
  encodeEvents(events: readonly EncodedEnvelope[]): Promise<readonly Buffer[]>;
  enqueue(frame: Buffer): void;
  /** Says how much of the log may be read at once, and counts it as held until it is released. */
  openPage(): { readonly bytes: number; release(): void };
  /** Writes what is enqueued; resolves when the peer has taken it, or the socket is given up. */
  drained(): Promise<void>;
  /** It has been sent all that it was owed; what comes from now on is fed to it. Called with nothing in between. */
  caughtUp(): void;
}

/** What a socket has yet to be sent of a room: all after `afterSeq`, up to `untilSeq` if it left, else for good. */
interface Debt {
  afterSeq: number;
  untilSeq: number | null;
}

/**
 * What a socket could not be fed, because it reads too slowly or came from behind: the durable events from the rooms'
 * memory or the store, page by page as the peer takes them, then the latest of typing and presence.
 */
export class CatchUp {
  readonly #socket: CatchUpSocket;
  readonly #store: Pick<ChatStore, 'logPage'>;
  readonly #debts = new Map<Room, Debt>();
  readonly #missed = new Conflation<Room>();
  #isRunning = false;

  constructor(socket: CatchUpSocket, store: Pick<ChatStore, 'logPage'>) {
    this.#socket = socket;
    this.#store = store;
  }

  /** Whether events of the room are owed, so that later ones must wait. */
  owes(room: Room): boolean {
    return this.#debts.has(room);
  }

  /** Everything of the room after `afterSeq` is owed, if no more is already. */
  owe(room: Room, afterSeq: number): void {
    if (!this.#debts.has(room)) this.#debts.set(room, { afterSeq, untilSeq: null });
  }

  /** Typing and presence that the socket could not be fed. Returns false when it has missed too much of them. */
  keep(room: Room, signals: readonly Signal[]): boolean {
    return this.#missed.keep(room, signals);
  }

  /** The socket asks again, or is back, before all was paid: it was told that it goes on after `afterSeq`. */
  proceed(room: Room, afterSeq: number): void {
    const debt = this.#debts.get(room);
    if (!debt) return;
    debt.afterSeq = Math.max(debt.afterSeq, afterSeq);
    debt.untilSeq = null;
  }

  /** The room let the socket go at `seq`: up to there it is still owed everything, and nothing after. */
  end(room: Room, seq: number): void {
    const debt = this.#debts.get(room);
    if (debt) debt.untilSeq = seq;
    this.#missed.forget(room);
  }

  /** Nothing of the room is owed any more. */
  forget(room: Room): void {
    this.#debts.delete(room);
    this.#missed.forget(room);
  }

  clear(): void {
    this.#debts.clear();
    this.#missed.clear();
  }

  /** The room goes on after `head`, and what came before is owed no more; the socket is told. */
  discontinue(room: Room, reason: 'epoch' | 'behind', head: number): void {
    this.#debts.delete(room);
    const params = { channelId: room.channelId, head, reason };
    this.#socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'discontinuity', params }));
    this.#sendMissed(room);
  }

  /**
   * Sends what is owed until there is nothing. While this runs the rooms add to it instead of feeding the socket; it
   * ends at a moment when all of it has been sent.
   */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#socket.isOpen) {
      await this.#socket.drained();
      const [owed] = this.#debts;
      const missed = this.#missed.next();
      if (owed) await this.#tryToPay(...owed);
      else if (missed) this.#sendMissed(missed);
      else break;
    }
    this.#isRunning = false;
    this.#socket.caughtUp();
  }

  async #tryToPay(room: Room, debt: Debt): Promise<void> {
    try {
      await this.#pay(room, debt);
    } catch {
      // The store is away, and says so elsewhere: what is owed stays owed.
      await delay(retryMs, undefined, { ref: false });
    }
  }

  // On behalf of its agent: who reads slowly on many sockets takes turns with others.
  async #readLog({ channelId }: Room, afterSeq: number, maxBytes: number) {
    const { agentId } = this.#socket;
    const { logPage } = limits;
    return (await this.#store.logPage(channelId, afterSeq, logPage, maxBytes, agentId)).events;
  }

  /** Sends one page of what is owed of a room, from its memory or else from the store. */
  async #pay(room: Room, debt: Debt): Promise<void> {
    if ((debt.untilSeq ?? room.head) - debt.afterSeq > limits.resumeEvents) {
      // What is yet to be framed is at or below the head that is told.
      room.flush();
      const { untilSeq } = debt;
      this.discontinue(room, 'behind', untilSeq === null ? room.head : untilSeq - 1);
      // Who was let go meanwhile is yet told so.
      if (untilSeq !== null) this.#debts.set(room, { afterSeq: untilSeq - 1, untilSeq });
      return;
    }
    const allowed = this.#socket.openPage();
    try {
      await this.#payPage(room, debt, allowed.bytes);
    } finally {
      allowed.release();
    }
  }

  async #payPage(room: Room, debt: Debt, maxBytes: number): Promise<void> {
    const { afterSeq } = debt;
    const known = room.after(afterSeq);
    const page = beginningOf(known ?? (await this.#readLog(room, afterSeq, maxBytes)), maxBytes);
    // Much is encoded beforehand, for nothing may come in between later.
    const upTo = Math.min(room.head, debt.untilSeq ?? Infinity);
    const owed = page.filter(({ seq }) => seq !== null && seq > afterSeq && seq <= upTo);
    const frames = sizeOf(owed) > pieceChars ? await this.#socket.encodeEvents(owed) : null;
    // It left, or was told that this cannot be continued, or that it goes on from elsewhere or ends before.
    if (this.#debts.get(room) !== debt || debt.afterSeq !== afterSeq) return;
    if (!this.#socket.mayCatchUp) return;
    if (frames && debt.untilSeq !== null && debt.untilSeq < upTo) return;
    // From here to the end nothing waits: what the room has delivered by now is either sent here or flushed to others.
    room.flush();
    const target = debt.untilSeq ?? room.head;
    let events = owed;
    if (frames) {
      for (const frame of frames) this.#socket.enqueue(frame);
    } else {
      events = page.filter(({ seq }) => seq !== null && seq > afterSeq && seq <= target);
      this.#socket.enqueueEvents(events);
    }
    debt.afterSeq = events.at(-1)?.seq ?? (page.length === 0 ? target : debt.afterSeq);
    if (debt.afterSeq < target) return;
    this.#debts.delete(room);
    this.#sendMissed(room);
  }

  /** What was missed is told before anything newer can be fed. */
  #sendMissed(room: Room): void {
    const events = this.#missed.take(room);
    if (events.length > 0) this.#socket.enqueueEvents(events);
  }
}

const sizeOf = (events: readonly EncodedEnvelope[]) =>
  events.reduce((sum, { json }) => sum + json.length, 0);

/** As many of the first events as so many characters allow, but one at least. */
function beginningOf(
  events: readonly EncodedEnvelope[],
  maxChars: number,
): readonly EncodedEnvelope[] {
  let length = 0;
  const end = events.findIndex(
    ({ json }, index) => (length += json.length) > maxChars && index > 0,
  );
  return end === -1 ? events : events.slice(0, end);
}
