import { setTimeout as delay } from 'node:timers/promises';
import type { ChatStore, LogPage } from '@openclaw/chat-store';
import {
  limits,
  type Discontinuity,
  type EncodedEnvelope,
  type ErrorCode,
} from '@openclaw/protocol';
import type { Room } from '../channels/room.ts';
import { pieceChars } from '../event-loop/encoding-steps.ts';
import { Conflation, type Signal } from '../channels/conflation.ts';
import type { SocketOutput } from './output.ts';

const retryMs = 1_000;

export interface CatchUpDeps {
  readonly agentId: string;
  readonly output: SocketOutput;
  readonly store: Pick<ChatStore, 'logPage'>;
  /** `CatchUp` calls this synchronously when everything pending was sent. Rooms send directly from then on. */
  readonly onCaughtUp: () => void;
  /** `CatchUp` calls this when the peer reads nothing or missed too much. The callback must close the socket. */
  readonly onStuck: () => void;
  /** `CatchUp` calls this with each discontinuity that is sent, for metrics. */
  readonly onDiscontinuity?: ((reason: Discontinuity['reason']) => void) | undefined;
}

/**
 * All events after `afterSeq` are pending. If `untilSeq` is set, the event with this seq removed the session from the
 * room, and is the last that the session gets.
 */
interface Pending {
  afterSeq: number;
  untilSeq: number | null;
}

/**
 * Sends one session the events that its rooms could not send directly. Durable events come first, page by page as the
 * peer reads them, then the latest typing and presence.
 */
export class CatchUp {
  readonly #deps: CatchUpDeps;
  readonly #output: SocketOutput;
  readonly #pending = new Map<Room, Pending>();
  readonly #missedSignals = new Conflation<Room>();
  #isRunning = false;
  /** The number of answers that are being made. While it is above 0, no pending events are sent. */
  #pauses = 0;
  #onReleased: (() => void)[] = [];

  constructor(deps: CatchUpDeps) {
    this.#deps = deps;
    this.#output = deps.output;
  }

  get isPaused(): boolean {
    return this.#pauses > 0;
  }

  /** No pending events are sent until the returned function is called. */
  pause(): () => void {
    this.#pauses += 1;
    return () => {
      this.#pauses -= 1;
      if (this.#pauses > 0) return;
      this.#release();
      void this.run();
    };
  }

  bufferEnded(): void {
    if (!this.#output.isBuffering) this.#release();
  }

  /** True while events of the room are pending. Later events must then wait. */
  isBehind(room: Room): boolean {
    return this.#pending.has(room);
  }

  /** Has no effect while earlier events of the room are pending. */
  backlogFrom(room: Room, afterSeq: number): void {
    if (!this.#pending.has(room)) this.#pending.set(room, { afterSeq, untilSeq: null });
    this.#runAfterBuffer();
  }

  keepSignals(room: Room, signals: readonly Signal[]): void {
    this.#runAfterBuffer();
    if (!this.#missedSignals.keep(room, signals)) this.#deps.onStuck();
  }

  /**
   * Call it when the client subscribes again while events are pending. The answer tells the client to continue after
   * `afterSeq`, so only later events stay pending.
   */
  skipTo(room: Room, afterSeq: number): void {
    const pending = this.#pending.get(room);
    if (!pending) return;
    pending.afterSeq = Math.max(pending.afterSeq, afterSeq);
    pending.untilSeq = null;
  }

  /** The event `seq` removed the session from the room, and is the last that the session gets. */
  endAt(room: Room, seq: number): void {
    const pending = this.#pending.get(room);
    if (pending) pending.untilSeq = seq;
    this.#missedSignals.forget(room);
  }

  forget(room: Room): void {
    this.#pending.delete(room);
    this.#missedSignals.forget(room);
  }

  /** Call it when the client unsubscribes from a channel from which an event has already removed the session. */
  forgetEnded(channelId: string): void {
    for (const room of this.#pending.keys()) if (room.channelId === channelId) this.forget(room);
  }

  dispose(): void {
    this.#release();
    this.#pending.clear();
    this.#missedSignals.clear();
  }

  /** Notifies the client that the room continues after `head`, and drops all pending events of the room. */
  discontinue(room: Room, reason: Discontinuity['reason'], head: number): void {
    this.#pending.delete(room);
    this.#deps.onDiscontinuity?.(reason);
    this.#output.send(discontinuityText(room, reason, head));
    this.#sendSignals(room);
  }

  /** Notifies the client that its subscription has ended, and drops pending events. */
  end(room: Room, reason: Discontinuity['reason']): void {
    this.forget(room);
    this.#output.send(discontinuityText(room, reason, room.head, 'forbidden'));
  }

  /** Sends until nothing is pending. Rooms meanwhile add to the pending events instead of sending directly. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#output.isOpen) {
      await this.#whenWritable();
      const [next] = this.#pending;
      const room = this.#missedSignals.next();
      // After a failed read, the events stay pending. The store itself logs its outage.
      if (next) await this.#sendPage(...next).catch(() => delay(retryMs, null, { ref: false }));
      else if (room) this.#sendSignals(room);
      else break;
    }
    this.#isRunning = false;
    this.#deps.onCaughtUp();
  }

  async #whenWritable(): Promise<void> {
    // Pages that are sent while an answer is made would only accumulate in the output buffer.
    while (!this.#maySend && this.#output.isOpen) {
      await new Promise<void>((resolve) => this.#onReleased.push(resolve));
    }
    await this.#output.drain(this.#deps.onStuck);
    // Buffering or a pause may have begun during the wait.
    if (!this.#maySend && this.#output.isOpen) await this.#whenWritable();
  }

  /** False while an answer is made or buffered, because the answer may name the seq after which a room continues. */
  get #maySend(): boolean {
    return !this.isPaused && !this.#output.isBuffering;
  }

  #release(): void {
    for (const callback of this.#onReleased.splice(0)) callback();
  }

  #runAfterBuffer(): void {
    if (this.#output.isBuffering && this.#onReleased.length === 0)
      this.#onReleased.push(() => void this.run());
  }

  /** If too many events are pending, sends a discontinuity instead. */
  async #sendPage(room: Room, pending: Pending): Promise<void> {
    if ((pending.untilSeq ?? room.head) - pending.afterSeq > limits.resumeEvents) {
      // The room's waiting events are framed now. They are at or below the head in the discontinuity, so this session
      // must not get them after the discontinuity.
      room.flush();
      const { untilSeq } = pending;
      this.discontinue(room, 'behind', untilSeq === null ? room.head : untilSeq - 1);
      // A removed session still gets the event of its removal.
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
    const read = inMemory ? null : await this.#readLog(room, afterSeq, maxBytes);
    if (read && read.floor > afterSeq + 1) return this.#skipTrimmed(room, pending, afterSeq, read);
    const page = firstOf(inMemory ?? read?.events ?? [], maxBytes);
    // No event may arrive between the checks below and the sending. A large page takes several turns to encode, so it
    // is encoded before these checks.
    const upTo = Math.min(room.head, pending.untilSeq ?? Infinity);
    const wanted = page.filter(({ seq }) => seq !== null && seq > afterSeq && seq <= upTo);
    const frames = sizeOf(wanted) > pieceChars ? await this.#output.encodeEvents(wanted) : null;
    // During the wait the session may have left, got a discontinuity, skipped ahead or been removed at an earlier
    // seq.
    if (this.#pending.get(room) !== pending || pending.afterSeq !== afterSeq) return;
    if (!this.#maySend) return;
    if (frames && pending.untilSeq !== null && pending.untilSeq < upTo) return;
    // The flush frames the waiting events for the other sessions. No await follows, so no event can arrive before the
    // sending.
    room.flush();
    const target = pending.untilSeq ?? room.head;
    let events = wanted;
    if (frames) {
      this.#output.enqueueFrames(frames, events.length);
    } else {
      events = page.filter(({ seq }) => seq !== null && seq > afterSeq && seq <= target);
      this.#output.enqueueEvents(events);
    }
    pending.afterSeq = events.at(-1)?.seq ?? (page.length === 0 ? target : pending.afterSeq);
    if (pending.afterSeq < target) return;
    this.#pending.delete(room);
    this.#sendSignals(room);
  }

  /** Notifies the client that its next events were trimmed, and continues from the floor. */
  #skipTrimmed(room: Room, pending: Pending, afterSeq: number, { floor }: LogPage): void {
    // If the client got a discontinuity of the epoch meanwhile, this floor belongs to the earlier log.
    if (this.#pending.get(room) !== pending || pending.afterSeq !== afterSeq) return;
    room.update({ floor });
    if (!this.#maySend) return;
    room.flush();
    const head = floor - 1;
    this.#deps.onDiscontinuity?.('trimmed');
    this.#output.send(discontinuityText(room, 'trimmed', head));
    pending.afterSeq = head;
    if (head < (pending.untilSeq ?? room.head)) return;
    this.#pending.delete(room);
    this.#sendSignals(room);
  }

  // The read is queued under the session's agent, so an agent with many slow sockets takes turns with other agents.
  #readLog({ channelId }: Room, afterSeq: number, maxBytes: number): Promise<LogPage> {
    const { agentId, store } = this.#deps;
    return store.logPage(channelId, afterSeq, limits.logPage, maxBytes, agentId);
  }

  /** Call it before the room sends newer events directly. */
  #sendSignals(room: Room): void {
    const events = this.#missedSignals.take(room);
    if (events.length > 0) this.#output.enqueueEvents(events);
  }
}

/** With `code`, the notification says that the subscription has ended. */
export function discontinuityText(
  { channelId, floor }: Pick<Room, 'channelId' | 'floor'>,
  reason: Discontinuity['reason'],
  head: number,
  code?: ErrorCode,
): string {
  const params: Discontinuity = {
    ...{ channelId, head, reason },
    ...(reason === 'trimmed' && { floor }),
    ...(code !== undefined && { error: { code } }),
  };
  return JSON.stringify({ jsonrpc: '2.0', method: 'discontinuity', params });
}

const sizeOf = (events: readonly EncodedEnvelope[]) =>
  events.reduce((sum, { json }) => sum + json.length, 0);

/** Keeps the first event even if it alone has more than `maxChars`. */
function firstOf(events: readonly EncodedEnvelope[], maxChars: number): readonly EncodedEnvelope[] {
  let length = 0;
  const end = events.findIndex(
    ({ json }, index) => (length += json.length) > maxChars && index > 0,
  );
  return end === -1 ? events : events.slice(0, end);
}
