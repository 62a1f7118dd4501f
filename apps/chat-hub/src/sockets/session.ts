import type { Duplex } from 'node:stream';
import type { ChatStore } from '@openclaw/chat-store';
import {
  encodeCloseReason,
  isDirectChannelId,
  type EncodedEnvelope,
  type ParamsOf,
} from '@openclaw/protocol';
import type { WebSocket } from 'ws';
import type { Identity } from '../edge/identity.ts';
import { createSlices, type Slices } from '../event-loop/slices.ts';
import { CatchUp, type CatchUpSocket } from './catch-up.ts';
import type { Signal } from './conflation.ts';
import type { Flushable, Flusher } from '../channels/flusher.ts';
import {
  framesOf,
  framing,
  sizeOfFrame,
  textFrame,
  textFrames,
  type Frame,
} from '../channels/frame.ts';
import type { Room, RoomMember } from '../channels/room.ts';
import { createUnsentBudget, type Unsent, type UnsentBudget } from './unsent-budget.ts';

/** Beyond this much unsent output a socket is neither fed nor read; it catches up from the log once it has read on. */
const lagBytes = 1_048_576;
/** How long a lagging socket may take to drain before it is closed with a hint when to come back. */
const stuckMs = 30_000;
/** How long a peer may take to answer a close before it is cut. */
const closeMs = 2_000;
/** When a socket that was closed for being stuck may come back. */
const returnMs = 1_000;
/** What is read of the log at once for a socket that catches up; less where the budget for unsent output is used up. */
const pageBytes = 1_048_576;
const scantPageBytes = 65_536;
/** What is written of a socket's output in one turn: more would hold up the loop while the kernel copies it. */
const turnBytes = 262_144;

/** What a session needs of its hub. */
export interface SessionDeps {
  readonly store: Pick<ChatStore, 'logPage'>;
  readonly flusher: Flusher;
  readonly onLag: () => void;
  /** What unsent output may take. @default one for this session alone */
  readonly unsent?: UnsentBudget;
  /** Where much is encoded. @default slices for this session alone */
  readonly slices?: Slices;
  /** The socket is no longer in this room, by leaving, removal or deletion of the channel. */
  readonly onLeftRoom: (session: Session, room: Room) => void;
}

/** One connected socket: who it is, which rooms it is in, and what it has yet to be sent. */
export class Session implements RoomMember, Flushable, CatchUpSocket {
  readonly sessionId: string;
  readonly identity: Identity;
  readonly acceptsBatches: boolean;
  readonly connectedAtMs = Date.now();
  /** What it last said of itself; null while it said nothing. */
  presence: (ParamsOf<'presence.set'> & { readonly atMs: number }) | null = null;
  /** The rooms it is subscribed to, by channelId. */
  readonly rooms = new Map<string, Room>();
  /** Of these, those that it asked for: direct channels come without asking and do not count. */
  topics = 0;
  /** Direct channels that the client unsubscribed from, so that they are not joined again unasked; `limits.topics` at most. */
  readonly mutedDirects = new Set<string>();
  /** Channels in which it says it is typing. */
  readonly typingIn = new Set<string>();
  /** False until its welcome is on its way; until then nothing else is sent. */
  isWelcomed = false;
  /** Whether the welcome named all its direct channels, so that any other is new and begins at its first event. */
  knowsAllDirects = false;
  /** How often the epoch had changed at its welcome (`Rooms.restarts`). */
  welcomedRestarts = 0;
  /** Direct channels whose events came before the welcome, with the seq just before them. */
  readonly earlyDirects = new Map<string, number>();
  /** Calls taken and not yet answered. */
  inFlight = 0;
  isLagging = false;
  /** Pings sent since the last pong. */
  unansweredPings = 0;
  nextPingMs = 0;
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #deps: SessionDeps;
  #frames: Frame[] = [];
  #queuedBytes = 0;
  #held: Frame[] | null = null;
  #heldBytes = 0;
  #holds = 0;
  #deferrals = 0;
  /** Called when nothing is held back or deferred any more. */
  #onReleased: (() => void)[] = [];
  readonly #budget: UnsentBudget;
  readonly #unsent: Unsent;
  readonly #slices: Slices;
  #isWatchingDrain = false;
  readonly #catchUp: CatchUp;
  readonly #onKeptUp: (() => void)[] = [];

  constructor(
    ws: WebSocket,
    socket: Duplex,
    sessionId: string,
    identity: Identity,
    deps: SessionDeps,
  ) {
    this.#ws = ws;
    this.#socket = socket;
    this.#deps = deps;
    this.sessionId = sessionId;
    this.identity = identity;
    this.acceptsBatches = ws.protocol !== '';
    this.#catchUp = new CatchUp(this, deps.store);
    this.#budget = deps.unsent ?? createUnsentBudget();
    this.#unsent = this.#budget.open(identity.agentId);
    this.#slices = deps.slices ?? createSlices();
    // ws answers each ping by itself: a peer that only pings and does not read is as slow as any other.
    ws.on('ping', () => this.#written());
  }

  get agentId(): string {
    return this.identity.agentId;
  }

  get isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  /** What is on its way to a peer that has not taken it. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends one JSON-RPC object (or array) with what else this turn brings: a text, or pieces of one, encoded. */
  send(payload: string | readonly Buffer[]): void {
    for (const frame of framesOfPayload(payload)) this.enqueue(frame);
    this.#count();
  }

  /** Sends what may be lost, unless the socket reads too slowly or much is held back. */
  sendBestEffort(frame: Buffer): void {
    if (!this.isLagging && this.#heldBytes <= lagBytes) this.enqueue(frame);
  }

  enqueue(frame: Frame): void {
    if (this.#held) {
      this.#held.push(frame);
      this.#heldBytes += sizeOfFrame(frame);
      return;
    }
    // What remains of an earlier turn waits for the peer; whether it is too much is seen at the next flush.
    if (this.#frames.length === 0 || this.#isWatchingDrain) this.#deps.flusher.socket(this);
    this.#frames.push(frame);
    this.#queuedBytes += sizeOfFrame(frame);
  }

  /**
   * Keeps back what comes from now on. Returns what ends that: it sends a payload, and all that was kept after it. Rooms
   * owe their events meanwhile: an answer within the payload may say that one goes on after them. A second hold joins the
   * first.
   */
  hold(): (payload: string | readonly Buffer[] | null) => void {
    this.#holds += 1;
    this.#held ??= [];
    // It catches up after the hold, which may end with them.
    for (const resolve of this.#onKeptUp.splice(0)) resolve();
    return (payload) => {
      this.#holds -= 1;
      const kept = this.#held ?? [];
      if (payload !== null) {
        const frames = framesOfPayload(payload);
        kept.unshift(...frames);
        for (const frame of frames) this.#heldBytes += sizeOfFrame(frame);
      }
      if (this.#holds === 0) {
        this.#held = null;
        this.#heldBytes = 0;
        for (const frame of kept) this.enqueue(frame);
        for (const go of this.#onReleased.splice(0)) go();
      }
      this.#count();
    };
  }

  /**
   * While an answer is made in several turns, rooms that are entered owe what follows: it is sent once the returned
   * function was called, which is done when the answer is enqueued.
   */
  defer(): () => void {
    this.#deferrals += 1;
    return () => {
      this.#deferrals -= 1;
      if (this.#deferrals > 0) return;
      for (const go of this.#onReleased.splice(0)) go();
      void this.#catchUp.run();
    };
  }

  get mayCatchUp(): boolean {
    return this.#deferrals === 0 && !this.#held;
  }

  flush(): void {
    this.#write(turnBytes);
  }

  /** Writes what is enqueued, so many bytes and a frame more at most; the rest follows as the peer takes it. */
  #write(maxBytes: number): void {
    if (!this.isOpen || this.#frames.length === 0) return;
    const [only] = this.#frames;
    if (this.#frames.length === 1 && Buffer.isBuffer(only)) {
      this.#frames = [];
      this.#queuedBytes = 0;
      this.#socket.write(only);
      this.#written();
      return;
    }
    let count = 0;
    let bytes = 0;
    this.#socket.cork();
    for (const frame of this.#frames) {
      if (bytes >= maxBytes) break;
      if (Buffer.isBuffer(frame)) this.#socket.write(frame);
      else for (const piece of frame) this.#socket.write(piece);
      bytes += sizeOfFrame(frame);
      count += 1;
    }
    this.#socket.uncork();
    if (count === this.#frames.length) this.#frames = [];
    else this.#frames.splice(0, count);
    this.#queuedBytes -= bytes;
    this.#written();
  }

  /** Something was written: what the peer has not taken counts, and may be too much. */
  #written(): void {
    this.#count();
    const { writableLength } = this.#socket;
    if (writableLength === 0) {
      if (this.#frames.length > 0) this.#deps.flusher.socket(this);
      return;
    }
    this.#watchDrain();
    if (this.isLagging) return;
    const isMuch = writableLength + this.#queuedBytes > lagBytes;
    if (!isMuch && !this.#budget.isOver(this.agentId)) return;
    this.isLagging = true;
    // Nor is it read: every call it makes would add an answer to what it does not take.
    this.#ws.pause();
    this.#deps.onLag();
    void this.#catchUp.run();
  }

  #count(): void {
    this.#unsent.settle(this.#socket.writableLength + this.#queuedBytes + this.#heldBytes);
  }

  /** Counts again when the peer has taken what is written by now. */
  #watchDrain(): void {
    if (this.#isWatchingDrain || !this.isOpen) return;
    this.#isWatchingDrain = true;
    this.#socket.write('', () => {
      this.#isWatchingDrain = false;
      this.#count();
      if (this.#frames.length > 0) this.#deps.flusher.socket(this);
      else if (this.#socket.writableLength > 0) this.#watchDrain();
    });
  }

  /**
   * Resolves when it does not lag: at once, or when it has read on. While answers are held back it resolves at once: they
   * are bounded, and it catches up after them. False when it is closed instead.
   */
  async keepsUp(): Promise<boolean> {
    if (this.isLagging && !this.#held)
      await new Promise<void>((resolve) => this.#onKeptUp.push(resolve));
    return this.isOpen;
  }

  isFed(room: Room): boolean {
    return !this.isLagging && !this.#held && !this.#catchUp.owes(room);
  }

  owe(room: Room, afterSeq: number): void {
    this.#catchUp.owe(room, afterSeq);
    this.#catchUpAfterHold();
  }

  missed(room: Room, signals: readonly Signal[]): void {
    this.#catchUpAfterHold();
    if (!this.#catchUp.keep(room, signals)) this.#giveUp();
  }

  #catchUpAfterHold(): void {
    if (this.#held && this.#onReleased.length === 0)
      this.#onReleased.push(() => void this.#catchUp.run());
  }

  /** Enters a room: what it delivered after `afterSeq` is sent first, all later events as they come. */
  enter(room: Room, afterSeq: number = room.head): void {
    // What is pending is at or below head, and the client was or will be told of it otherwise.
    room.flush();
    const isNew = !this.rooms.has(room.channelId);
    if (isNew) {
      this.rooms.set(room.channelId, room);
      if (!isDirectChannelId(room.channelId)) this.topics += 1;
      room.members.add(this);
    }
    if (this.#catchUp.owes(room)) {
      this.#catchUp.proceed(room, afterSeq);
      return;
    }
    const isBehind = isNew && afterSeq < room.head;
    if (!isBehind && this.#deferrals === 0) return;
    this.owe(room, isBehind ? afterSeq : room.head);
    // Not before the answer that says where it goes on, which is sent in this turn.
    if (this.#deferrals === 0) queueMicrotask(() => void this.#catchUp.run());
  }

  /** Leaves a room; does nothing when it is not in it. */
  leave(channelId: string): void {
    const room = this.rooms.get(channelId);
    if (!room) return;
    room.members.delete(this);
    this.#catchUp.forget(room);
    this.#forget(room);
  }

  /** The room let it go at `seq`: up to there it is still owed everything, and nothing after. */
  dropped(room: Room, seq: number): void {
    if (this.isLagging) this.owe(room, seq - 1);
    this.#catchUp.end(room, seq);
    this.#forget(room);
  }

  /** The room goes on from its head: nothing before is owed any more. */
  discontinued(room: Room, reason: 'epoch' | 'behind'): void {
    this.#catchUp.discontinue(room, reason, room.head);
  }

  /** Closes with one of the protocol's close codes; a peer that does not answer is cut. */
  close(code: number, reason = ''): void {
    if (!this.isOpen) return;
    this.#write(Infinity);
    // Else the peer's answer to the close would not be read.
    this.#ws.resume();
    this.#ws.close(code, reason);
    setTimeout(() => this.#ws.terminate(), closeMs).unref();
  }

  /** Closes it and reads nothing more, so that what a flood has under way costs nothing. */
  expel(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.close(code, reason);
    this.#ws.pause();
  }

  /** Cuts the socket: for a peer that is thought dead. */
  terminate(): void {
    this.#ws.terminate();
  }

  /** Sends a WebSocket ping. */
  ping(): void {
    if (!this.isOpen) return;
    this.#ws.ping();
    this.#written();
  }

  /** Frees what it holds; called once, after the socket closed. */
  dispose(): void {
    this.#frames = [];
    for (const go of this.#onReleased.splice(0)) go();
    this.#unsent.release();
    for (const channelId of [...this.rooms.keys()]) this.leave(channelId);
    this.#catchUp.clear();
  }

  enqueueEvents(events: readonly EncodedEnvelope[]): void {
    for (const frame of framesOf(events, this.acceptsBatches)) this.enqueue(frame);
  }

  encodeEvents(events: readonly EncodedEnvelope[]): Promise<Buffer[]> {
    return this.#slices.run(framing(events, this.acceptsBatches));
  }

  openPage(): { readonly bytes: number; release(): void } {
    // A socket that has read everything always gets a little, or others that do not read could stop it.
    const bytes = this.#budget.isOver(this.agentId) ? scantPageBytes : pageBytes;
    const page = this.#budget.open(this.agentId);
    page.settle(bytes);
    return { bytes, release: () => page.release() };
  }

  async drained(): Promise<void> {
    // What is paid while answers are held back would pile up behind them.
    while (!this.mayCatchUp && this.isOpen)
      await new Promise<void>((resolve) => this.#onReleased.push(resolve));
    const stuck = setTimeout(() => this.#giveUp(), stuckMs).unref();
    this.flush();
    while (this.isOpen && (this.#socket.writableLength > 0 || this.#frames.length > 0)) {
      // Called when everything written before it is gone, or the socket is.
      await new Promise<void>((resolve) => this.#socket.write('', () => resolve()));
      // It took what one turn writes: slow, but not stuck.
      stuck.refresh();
      this.flush();
    }
    clearTimeout(stuck);
    // Answers may be held back by now.
    if (!this.mayCatchUp && this.isOpen) await this.drained();
  }

  caughtUp(): void {
    if (!this.isLagging) return;
    this.isLagging = false;
    if (this.isOpen) this.#ws.resume();
    for (const resolve of this.#onKeptUp.splice(0)) resolve();
  }

  /** It stays stuck: it is closed, and may come back for what it missed. */
  #giveUp(): void {
    this.close(4429, encodeCloseReason(returnMs));
  }

  #forget(room: Room): void {
    if (!this.rooms.delete(room.channelId)) return;
    if (!isDirectChannelId(room.channelId)) this.topics -= 1;
    this.#deps.onLeftRoom(this, room);
  }
}

function framesOfPayload(payload: string | readonly Buffer[]): Frame[] {
  return typeof payload === 'string' ? [textFrame(payload)] : textFrames(payload);
}
