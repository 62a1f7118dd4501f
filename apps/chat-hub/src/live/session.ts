import type { Duplex } from 'node:stream';
import type { ChatStore } from '@openclaw/chat-store';
import {
  encodeCloseReason,
  isDirectChannelId,
  type EncodedEnvelope,
  type ParamsOf,
} from '@openclaw/protocol';
import type { WebSocket } from 'ws';
import type { Identity } from '../auth/identity.ts';
import { CatchUp, type CatchUpSocket } from './catch-up.ts';
import type { Signal } from './conflation.ts';
import type { Flushable, Flusher } from './flusher.ts';
import { framesOf, textFrames, type FrameText } from './frame.ts';
import type { Room, RoomMember } from './room.ts';

/** Beyond this much unsent output a socket is neither fed nor read; it catches up from the log once it has read on. */
const lagBytes = 1_048_576;
/** How long a lagging socket may take to drain before it is closed with a hint when to come back. */
const stuckMs = 30_000;
/** How long a peer may take to answer a close before it is cut. */
const closeMs = 2_000;
/** When a socket that was closed for being stuck may come back. */
const returnMs = 1_000;

/** What a session needs of its hub. */
export interface SessionDeps {
  readonly store: Pick<ChatStore, 'logPage'>;
  readonly flusher: Flusher;
  readonly onLag: () => void;
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
  /** Direct channels that the client unsubscribed from, so that they are not joined again unasked. */
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
  #frames: Buffer[] = [];
  #held: Buffer[] | null = null;
  #holds = 0;
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

  /** Sends one JSON-RPC object (or array) with what else this turn brings. */
  send(text: FrameText): void {
    for (const frame of textFrames(text)) this.enqueue(frame);
  }

  /** Sends what may be lost, unless the socket reads too slowly. */
  sendBestEffort(frame: Buffer): void {
    if (!this.isLagging) this.enqueue(frame);
  }

  enqueue(frame: Buffer): void {
    if (this.#held) {
      this.#held.push(frame);
      return;
    }
    if (this.#frames.length === 0) this.#deps.flusher.socket(this);
    this.#frames.push(frame);
  }

  /**
   * Keeps back what comes from now on. Returns what ends that: it sends a text, and all that was kept after it. A
   * second hold joins the first.
   */
  hold(): (text: FrameText | null) => void {
    this.#holds += 1;
    this.#held ??= [];
    return (text) => {
      this.#holds -= 1;
      const kept = this.#held ?? [];
      if (text !== null) kept.unshift(...textFrames(text));
      if (this.#holds > 0) return;
      this.#held = null;
      for (const frame of kept) this.enqueue(frame);
    };
  }

  flush(): void {
    const frames = this.#frames;
    this.#frames = [];
    const [first] = frames;
    if (!this.isOpen || first === undefined) return;
    if (frames.length === 1) {
      this.#socket.write(first);
    } else {
      this.#socket.cork();
      for (const frame of frames) this.#socket.write(frame);
      this.#socket.uncork();
    }
    if (this.isLagging || this.#socket.writableLength <= lagBytes) return;
    this.isLagging = true;
    // Nor is it read: every call it makes would add an answer to what it does not take.
    this.#ws.pause();
    this.#deps.onLag();
    void this.#catchUp.run();
  }

  /** Resolves when it does not lag: at once, or when it has read on. False when it is closed instead. */
  async keepsUp(): Promise<boolean> {
    if (this.isLagging) await new Promise<void>((resolve) => this.#onKeptUp.push(resolve));
    return this.isOpen;
  }

  isFed(room: Room): boolean {
    return !this.isLagging && !this.#catchUp.owes(room);
  }

  owe(room: Room, afterSeq: number): void {
    this.#catchUp.owe(room, afterSeq);
  }

  missed(room: Room, signals: readonly Signal[]): void {
    if (!this.#catchUp.keep(room, signals)) this.#giveUp();
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
    if (!isNew || afterSeq >= room.head) return;
    this.owe(room, afterSeq);
    // Not before the answer that says where it goes on, which is sent in this turn.
    queueMicrotask(() => void this.#catchUp.run());
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
    this.flush();
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
    if (this.isOpen) this.#ws.ping();
  }

  /** Frees what it holds; called once, after the socket closed. */
  dispose(): void {
    this.#frames = [];
    for (const channelId of [...this.rooms.keys()]) this.leave(channelId);
    this.#catchUp.clear();
  }

  enqueueEvents(events: readonly EncodedEnvelope[]): void {
    for (const frame of framesOf(events, this.acceptsBatches)) this.enqueue(frame);
  }

  async drained(): Promise<void> {
    this.flush();
    if (this.#socket.writableLength === 0) return;
    await new Promise<void>((resolve) => {
      const stuck = setTimeout(() => {
        this.#giveUp();
        resolve();
      }, stuckMs);
      stuck.unref();
      // Called when everything written before it is gone, or the socket is.
      this.#socket.write('', () => {
        clearTimeout(stuck);
        resolve();
      });
    });
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
