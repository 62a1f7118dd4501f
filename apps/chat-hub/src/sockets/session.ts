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

const returnMs = 1_000;
const closeTimeoutMs = 2_000;

export interface SessionDeps extends Omit<SocketOutputDeps, 'onOverLimit'> {
  readonly store: Pick<ChatStore, 'logPage'>;
  readonly onLag: () => void;
  readonly onDiscontinuity?: (reason: Discontinuity['reason']) => void;
  /** The hub calls this when the session left a room or was removed from it, or when the channel was deleted. */
  readonly onLeftRoom: (session: Session, room: Room) => void;
}

export interface WelcomedDirects {
  /**
   * True when the welcome named all direct channels. Any other direct channel is then new, and starts at its first
   * event.
   */
  readonly isComplete: boolean;
  /** If `Rooms.epochGeneration` has changed since the welcome, the heads that the welcome named are invalid. */
  readonly epochGeneration: number;
}

export interface WelcomingPhase {
  readonly name: 'welcoming';
  /**
   * Holds the direct channels that had an event before the welcome. The value is the seq before the first such event.
   */
  readonly earlyDirects: Map<string, number>;
  /**
   * True when the heads of all direct channels were read. An event at or below its channel's head is then not new.
   */
  areHeadsRead: boolean;
}

export type SessionPhase =
  | WelcomingPhase
  | { readonly name: 'live'; readonly directs: WelcomedDirects }
  /** The session reads too slowly: rooms send it nothing, its calls are not read, and it catches up from the log. */
  | { readonly name: 'lagging'; directs: WelcomedDirects; onDrained: (() => void)[] }
  | { readonly name: 'closing' };

const closing: SessionPhase = { name: 'closing' };

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
  /** This is the phase while the socket is open. Only the WebSocket knows whether the socket is closing. */
  #phase: SessionPhase = { name: 'welcoming', earlyDirects: new Map(), areHeadsRead: false };
  readonly #rooms = new Map<string, Room>();
  #topics = 0;
  /**
   * The client unsubscribed from these direct channels, so their events do not make the session enter again. At most
   * `limits.topics`.
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

  /** Direct channels do not count, because they are entered automatically. */
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

  onClosed(listener: () => void): () => void {
    this.#closeListeners.add(listener);
    return () => void this.#closeListeners.delete(listener);
  }

  welcomed(directs: WelcomedDirects): void {
    this.#phase = { name: 'live', directs };
  }

  /** The other sockets get their turn before this one is read again. */
  restUntilNextTurn(): void {
    this.#ws.pause();
    setImmediate(() => {
      if (this.phase.name === 'live') this.#ws.resume();
    });
  }

  send(payload: Payload): void {
    this.#output.send(payload);
  }

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
   * Buffers all further output, except events of rooms, until the returned function is called. That function sends its
   * payload first, then the buffered output. If several buffers are open, the output waits until the last one ends.
   * Events of rooms are sent from the logs afterwards, because the payload may name the seq after which a room
   * continues.
   */
  buffer(): (payload: Payload | null) => void {
    const end = this.#output.buffer();
    // A lag cannot end while output is buffered, and the buffer ends only after the calls whose answers it holds. If
    // these calls waited for the end of the lag, neither would end, so they stop waiting now.
    if (this.#phase.name === 'lagging')
      for (const resolve of this.#phase.onDrained.splice(0)) resolve();
    return (payload) => {
      end(payload);
      this.#catchUp.bufferEnded();
    };
  }

  /**
   * Use it for an answer that takes several turns. Events of rooms that are entered meanwhile wait until the returned
   * function is called.
   */
  pauseCatchUp(): () => void {
    return this.#catchUp.pause();
  }

  /** Waits for the end of a lag, except while output is buffered. Resolves with false if the socket is closed. */
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

  /** If the room delivered events after `afterSeq`, the session gets these first. */
  enter(room: Room, afterSeq: number = room.head): void {
    // The flush sends the room's waiting events to its earlier members only. If this session needs them too, its
    // catch-up reads them from the log.
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
    // The answer that names the seq to continue from is sent in this turn. The catch-up must start after this answer.
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
   * Direct channels are muted until the client subscribes to them again. If too many would be muted, leaves no channel
   * and returns false.
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

  /** Call it when the agent may no longer read the channel, and no event tells the agent so. */
  ended(room: Room, reason: Discontinuity['reason']): void {
    room.members.delete(this);
    this.#catchUp.end(room, reason);
    this.#forget(room);
  }

  /** If the peer does not answer in time, its socket is destroyed. */
  close(code: number, reason = ''): void {
    if (!this.isOpen) return;
    this.#output.flushAll();
    // A paused socket would not read the peer's answer to the close.
    this.#ws.resume();
    this.#ws.close(code, reason);
    terminateLater(this.#ws);
  }

  /** Reads nothing more, so that calls that already arrived cost nothing. */
  expel(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.close(code, reason);
    this.#ws.pause();
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /** Call it once, after the socket closed. */
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
    // A lagging session's calls are not read, because every answer would add to the unsent output.
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

export function terminateLater(ws: WebSocket): void {
  setTimeout(() => ws.terminate(), closeTimeoutMs).unref();
}
