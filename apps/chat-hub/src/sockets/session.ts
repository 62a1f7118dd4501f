import type { Duplex } from 'node:stream';
import type { ChatStore } from '@openclaw/chat-store';
import {
  encodeCloseReason,
  isDirectChannelId,
  limits,
  type Discontinuity,
} from '@openclaw/protocol';
import type { WebSocket } from 'ws';
import type { Room, RoomMember } from '../channels/room.ts';
import type { Identity } from '../edge/identity.ts';
import { CatchUp } from './catch-up.ts';
import type { Signal } from '../channels/conflation.ts';
import { SocketOutput, type Payload, type SocketOutputDeps } from './output.ts';

/** The time after which a client may reconnect when its socket was closed for not reading. */
const returnMs = 1_000;
/** How long a peer may take to answer a close before its socket is destroyed. */
const closeTimeoutMs = 2_000;

export interface SessionDeps extends Omit<SocketOutputDeps, 'onOverLimit'> {
  readonly store: Pick<ChatStore, 'logPage'>;
  readonly onLag: () => void;
  /** Called when the client is sent the notice that a room continues at another seq. */
  readonly onDiscontinuity?: (reason: Discontinuity['reason']) => void;
  /** Called when the session left a room or was removed from it, or when the channel was deleted. */
  readonly onLeftRoom: (session: Session, room: Room) => void;
}

export interface WelcomedDirects {
  /**
   * True when the welcome named all direct channels, so that any other channel is new and starts at its first event.
   */
  readonly isComplete: boolean;
  /** `Rooms.epochGeneration` at the welcome. In a later generation the heads that the welcome named are invalid. */
  readonly epochGeneration: number;
}

export interface WelcomingPhase {
  readonly name: 'welcoming';
  /**
   * Direct channels that had events before the welcome, each with the seq before its first event.
   */
  readonly earlyDirects: Map<string, number>;
  /**
   * True once the heads of all direct channels were read. An event at or below its channel's head
   * is then not new.
   */
  areHeadsRead: boolean;
}

/** The phases of a session, each with the state that only it needs. */
export type SessionPhase =
  | WelcomingPhase
  | { readonly name: 'live'; readonly directs: WelcomedDirects }
  /**
   * The session reads too slowly: rooms send it nothing, its calls are not read, and it catches up
   * from the log.
   */
  | { readonly name: 'lagging'; directs: WelcomedDirects; onDrained: (() => void)[] }
  | { readonly name: 'closing' };

const closing: SessionPhase = { name: 'closing' };

/** One connected socket: its identity, its phase, and the rooms it is in. */
export class Session implements RoomMember {
  readonly sessionId: string;
  readonly identity: Identity;
  readonly agentId: string;
  readonly acceptsBatches: boolean;
  readonly connectedAtMs = Date.now();
  readonly #ws: WebSocket;
  readonly #deps: SessionDeps;
  readonly #output: SocketOutput;
  readonly #catchUp: CatchUp;
  /** The phase while the socket is open. Only the WebSocket knows whether it is closing. */
  #phase: SessionPhase = { name: 'welcoming', earlyDirects: new Map(), areHeadsRead: false };
  readonly #rooms = new Map<string, Room>();
  #topics = 0;
  /**
   * Direct channels that the client unsubscribed from, at most `limits.topics`. Their events do not
   * make the session enter them again.
   */
  readonly #mutedDirects = new Set<string>();
  #callsInFlight = 0;
  readonly #closeListeners = new Set<() => void>();

  constructor(
    ws: WebSocket,
    socket: Duplex,
    sessionId: string,
    identity: Identity,
    deps: SessionDeps,
  ) {
    this.#ws = ws;
    this.#deps = deps;
    this.sessionId = sessionId;
    this.identity = identity;
    this.agentId = identity.agentId;
    const outputDeps = { ...deps, onOverLimit: () => this.#lag() };
    this.#output = new SocketOutput(ws, socket, this.agentId, outputDeps);
    this.acceptsBatches = this.#output.acceptsBatches;
    this.#catchUp = new CatchUp({
      agentId: this.agentId,
      output: this.#output,
      store: deps.store,
      onCaughtUp: () => this.#caughtUp(),
      onStuck: () => this.close(4429, encodeCloseReason(returnMs)),
      onDiscontinuity: deps.onDiscontinuity,
    });
  }

  get phase(): SessionPhase {
    return this.isOpen ? this.#phase : closing;
  }

  get isObserver(): boolean {
    return this.identity.observesPrivate;
  }

  get isOpen(): boolean {
    return this.#output.isOpen;
  }

  get isLagging(): boolean {
    return this.phase.name === 'lagging';
  }

  get unsentBytes(): number {
    return this.#output.unsentBytes;
  }

  get rooms(): ReadonlyMap<string, Room> {
    return this.#rooms;
  }

  /** How many rooms the client subscribed to. Direct channels are entered automatically and do not count. */
  get topics(): number {
    return this.#topics;
  }

  get callsInFlight(): number {
    return this.#callsInFlight;
  }

  beginCall(): void {
    this.#callsInFlight += 1;
  }

  endCall(): void {
    this.#callsInFlight -= 1;
  }

  /** Calls the listener once the socket has closed. Returns a function that removes it. */
  onClosed(listener: () => void): () => void {
    this.#closeListeners.add(listener);
    return () => void this.#closeListeners.delete(listener);
  }

  /** Call it when the welcome was sent. From then on the session is live. */
  welcomed(directs: WelcomedDirects): void {
    this.#phase = { name: 'live', directs };
  }

  /** Reads nothing more until the next turn of the event loop, so that the other sockets get their turn. */
  restUntilNextTurn(): void {
    this.#ws.pause();
    setImmediate(() => {
      if (this.phase.name === 'live') this.#ws.resume();
    });
  }

  send(payload: Payload): void {
    this.#output.send(payload);
  }

  /** Sends a frame that may be lost. It is dropped unless the session is live and its buffer has room. */
  sendBestEffort(frame: Buffer): void {
    if (this.#phase.name === 'live' && !this.#output.isBufferFull) this.#output.enqueue(frame);
  }

  enqueue(frame: Buffer): void {
    this.#output.enqueue(frame);
  }

  flush(): void {
    this.#output.flush();
  }

  ping(): void {
    this.#output.ping();
  }

  /**
   * Buffers all further output until the returned function is called. That function sends its
   * payload first, and then the output. If several buffers are open, the output waits for the last
   * one. Events of rooms are not buffered: they are sent from the logs afterwards, because the
   * payload may name the seq after which a room continues.
   */
  buffer(): (payload: Payload | null) => void {
    const end = this.#output.buffer();
    // A lagging session stays lagging until the buffer ends. A call whose answer is buffered must
    // not wait for the lag to end, because the buffer ends only after that call.
    if (this.#phase.name === 'lagging')
      for (const resolve of this.#phase.onDrained.splice(0)) resolve();
    return (payload) => {
      end(payload);
      this.#catchUp.bufferEnded();
    };
  }

  /**
   * For an answer that takes several turns to make. Events of rooms that are entered during that
   * time wait until the returned function is called.
   */
  pauseCatchUp(): () => void {
    return this.#catchUp.pause();
  }

  /**
   * Resolves once the session no longer lags, or at once while output is buffered. Resolves with
   * false if the socket is closed.
   */
  async whenDrained(): Promise<boolean> {
    const { phase } = this;
    if (phase.name === 'lagging' && !this.#output.isBuffering)
      await new Promise<void>((resolve) => phase.onDrained.push(resolve));
    return this.isOpen;
  }

  isLive(room: Room): boolean {
    return (
      this.#phase.name !== 'lagging' && !this.#output.isBuffering && !this.#catchUp.isBehind(room)
    );
  }

  backlogFrom(room: Room, afterSeq: number): void {
    this.#catchUp.backlogFrom(room, afterSeq);
  }

  missSignals(room: Room, signals: readonly Signal[]): void {
    this.#catchUp.keepSignals(room, signals);
  }

  /** Enters a room: events that it delivered after `afterSeq` are sent first, then later ones as they arrive. */
  enter(room: Room, afterSeq: number = room.head): void {
    // Frames the room's waiting events for its earlier members only. If this session needs these
    // events, it catches up.
    room.flush();
    this.#mutedDirects.delete(room.channelId);
    const isNew = !this.#rooms.has(room.channelId);
    if (isNew) {
      this.#rooms.set(room.channelId, room);
      if (!isDirectChannelId(room.channelId)) this.#topics += 1;
      room.members.add(this);
    }
    if (this.#catchUp.isBehind(room)) {
      this.#catchUp.skipTo(room, afterSeq);
      return;
    }
    const isBehind = isNew && afterSeq < room.head;
    if (!isBehind && !this.#catchUp.isPaused) return;
    this.backlogFrom(room, isBehind ? afterSeq : room.head);
    // The catch-up starts after this turn, because the answer that names the seq to continue from is sent in this turn.
    if (!this.#catchUp.isPaused) queueMicrotask(() => void this.#catchUp.run());
  }

  leave(channelId: string): void {
    const room = this.#rooms.get(channelId);
    if (!room) {
      this.#catchUp.forgetEnded(channelId);
      return;
    }
    room.members.delete(this);
    this.#catchUp.forget(room);
    this.#forget(room);
  }

  /**
   * Leaves rooms. Direct channels are muted until the client subscribes to them again. If too many
   * would be muted, leaves nothing and returns false.
   */
  unsubscribe(channelIds: readonly string[]): boolean {
    const muted = this.#mutedDirects;
    const added = new Set(channelIds.filter((id) => isDirectChannelId(id) && !muted.has(id)));
    if (muted.size + added.size > limits.topics) return false;
    for (const channelId of added) muted.add(channelId);
    for (const channelId of channelIds) this.leave(channelId);
    return true;
  }

  mayEnterDirect(channelId: string): boolean {
    return !this.#rooms.has(channelId) && !this.#mutedDirects.has(channelId);
  }

  removed(room: Room, seq: number): void {
    if (this.#phase.name === 'lagging') this.backlogFrom(room, seq - 1);
    this.#catchUp.endAt(room, seq);
    this.#forget(room);
  }

  discontinued(room: Room, reason: Discontinuity['reason']): void {
    this.#catchUp.discontinue(room, reason, room.head);
  }

  /**
   * Call it when the agent may not read the channel any more and no event says so. Without this
   * notification the client would wait for events.
   */
  ended(room: Room, reason: Discontinuity['reason']): void {
    room.members.delete(this);
    this.#catchUp.end(room, reason);
    this.#forget(room);
  }

  /** Closes with one of the protocol's close codes. The socket of a peer that does not answer in time is destroyed. */
  close(code: number, reason = ''): void {
    if (!this.isOpen) return;
    this.#output.flushAll();
    // A paused socket would not read the peer's answer to the close.
    this.#ws.resume();
    this.#ws.close(code, reason);
    terminateLater(this.#ws);
  }

  /** Closes the socket and reads nothing more from it, so that calls that already arrived cost nothing. */
  expel(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.close(code, reason);
    this.#ws.pause();
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /** Leaves all rooms and frees what it holds; called once, after the socket closed. */
  dispose(): void {
    this.#output.dispose();
    for (const channelId of [...this.#rooms.keys()]) this.leave(channelId);
    this.#catchUp.dispose();
    for (const listener of this.#closeListeners) listener();
    this.#closeListeners.clear();
  }

  #caughtUp(): void {
    const phase = this.#phase;
    if (phase.name !== 'lagging') return;
    this.#phase = { name: 'live', directs: phase.directs };
    if (this.isOpen) this.#ws.resume();
    for (const resolve of phase.onDrained) resolve();
  }

  #lag(): void {
    if (this.#phase.name !== 'live') return;
    this.#phase = { name: 'lagging', directs: this.#phase.directs, onDrained: [] };
    // The session's calls are not read either, because every answer would add to the unsent output.
    this.#ws.pause();
    this.#deps.onLag();
    void this.#catchUp.run();
  }

  #forget(room: Room): void {
    if (!this.#rooms.delete(room.channelId)) return;
    if (!isDirectChannelId(room.channelId)) this.#topics -= 1;
    this.#deps.onLeftRoom(this, room);
  }
}

/** Destroys the socket unless its peer answers the close in time. */
export function terminateLater(ws: WebSocket): void {
  setTimeout(() => ws.terminate(), closeTimeoutMs).unref();
}
