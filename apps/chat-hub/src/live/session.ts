import type { Duplex } from 'node:stream';
import { encodeCloseReason } from '@openclaw/protocol';
import type { WebSocket } from 'ws';
import type { Identity } from '../auth/identity.ts';
import type { Flushable, Flusher } from './flusher.ts';
import { textFrame } from './frame.ts';
import { batchFrames, type Room, type RoomMember } from './room.ts';

/** Beyond this much unsent output a socket is no longer fed; it catches up from the log once it has read on. */
const lagBytes = 1_048_576;
/** How long a lagging socket may take to drain before it is closed with a hint when to come back. */
const stuckMs = 30_000;

/** What a session needs of its hub. */
export interface SessionDeps {
  readonly flusher: Flusher;
  /** Sends what a drained socket is owed of a room; answers the seq up to which it has been sent. */
  readonly catchUp: (session: Session, room: Room, afterSeq: number) => Promise<number>;
  readonly onLag: (session: Session) => void;
  /** The socket is no longer in this room, by leaving, removal or deletion of the channel. */
  readonly onLeftRoom: (session: Session, room: Room) => void;
}

/** One connected socket: who it is, which rooms it is in, and what it has yet to be sent. */
export class Session implements RoomMember, Flushable {
  readonly sessionId: string;
  readonly identity: Identity;
  readonly acceptsBatches: boolean;
  /** The rooms it is subscribed to, by channelId. */
  readonly rooms = new Map<string, Room>();
  /** Direct channels that the client unsubscribed from, so that they are not joined again unasked. */
  readonly mutedDirects = new Set<string>();
  /** False until its welcome is on its way; until then nothing else is sent. */
  isWelcomed = false;
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
  readonly #owed = new Map<Room, number>();
  #stuck: NodeJS.Timeout | undefined;

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
  }

  get agentId(): string {
    return this.identity.agentId;
  }

  get isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  /** Output not yet taken by the system, in bytes. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends one JSON-RPC object (or array) with what else this turn brings. */
  send(text: string): void {
    this.enqueue(textFrame(text));
  }

  enqueue(frame: Buffer): void {
    if (this.#frames.length === 0) this.#deps.flusher.socket(this);
    this.#frames.push(frame);
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
    if (!this.isLagging && this.#socket.writableLength > lagBytes) this.#startLagging();
  }

  /** Enters a room; events after `afterSeq` that the room already delivered are sent first. */
  enter(room: Room, afterSeq: number = room.head): void {
    if (this.rooms.has(room.channelId)) return;
    const missed = room.after(afterSeq) ?? [];
    for (const frame of batchFrames(missed)) this.enqueue(frame);
    this.rooms.set(room.channelId, room);
    room.join(this);
  }

  /** Leaves a room; does nothing when it is not in it. */
  leave(channelId: string): Room | undefined {
    const room = this.rooms.get(channelId);
    if (!room) return undefined;
    room.leave(this);
    this.dropped(room);
    return room;
  }

  dropped(room: Room): void {
    this.rooms.delete(room.channelId);
    this.#owed.delete(room);
    this.#deps.onLeftRoom(this, room);
  }

  owe(room: Room, afterSeq: number): void {
    if (!this.#owed.has(room)) this.#owed.set(room, afterSeq);
  }

  /** Closes with one of the protocol's close codes; the socket is destroyed when the peer does not answer. */
  close(code: number, reason = ''): void {
    this.flush();
    this.#ws.close(code, reason);
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
    clearTimeout(this.#stuck);
    this.#frames = [];
    for (const channelId of [...this.rooms.keys()]) this.leave(channelId);
  }

  #startLagging(): void {
    this.isLagging = true;
    this.#deps.onLag(this);
    void this.#catchUp();
  }

  // The rooms note what is owed while this runs; it ends at a moment when everything delivered has been sent.
  async #catchUp(): Promise<void> {
    await this.drained();
    for (;;) {
      const [entry] = this.#owed;
      if (!entry || !this.isOpen) break;
      const [room, afterSeq] = entry;
      const sentUpTo = await this.#deps.catchUp(this, room, afterSeq);
      if (room.head > sentUpTo) this.#owed.set(room, sentUpTo);
      else this.#owed.delete(room);
    }
    this.isLagging = false;
  }

  /** Resolves once the socket has taken what was written; a socket that stays stuck is closed with a hint when to come back. */
  async drained(): Promise<void> {
    this.flush();
    if (this.#socket.writableLength === 0 || !this.isOpen) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(this.#stuck);
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#stuck = setTimeout(() => {
        this.#ws.close(4429, encodeCloseReason(1_000));
        this.#ws.terminate();
        done();
      }, stuckMs);
      this.#stuck.unref();
      this.#socket.once('drain', done);
      this.#socket.once('close', done);
    });
  }
}
