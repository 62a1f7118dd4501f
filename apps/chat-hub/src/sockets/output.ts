import type { Duplex } from 'node:stream';
import type { EncodedEnvelope } from '@openclaw/protocol';
import type { WebSocket } from 'ws';
import type { Flushable, Flusher } from '../channels/flusher.ts';
import {
  framesInSteps,
  framesOf,
  sizeOfFrame,
  textFrame,
  textFrames,
  type Frame,
} from '../channels/frames.ts';
import type { TimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import type { Unsent, UnsentBudget } from './unsent-budget.ts';

const lagBytes = 1_048_576;
const stuckMs = 30_000;
/**
 * A socket that catches up reads at most this many bytes of the log at once, and fewer while the agent is over its
 * unsent budget.
 */
const pageBytes = 1_048_576;
const smallPageBytes = 65_536;
/** Writing more in one turn would block the event loop while the kernel copies the bytes. */
const turnBytes = 262_144;
const copiedBytes = 16_384;

export type Payload = string | readonly Buffer[];

export interface SocketOutputDeps {
  readonly flusher: Flusher;
  readonly unsent: UnsentBudget;
  readonly slices: TimeSlicedQueue;
  /** The output calls this after every write that leaves more unsent bytes than the socket or its agent may have. */
  readonly onOverLimit: () => void;
}

/** Queues and writes frames, and counts the bytes that the peer has not read. */
export class SocketOutput implements Flushable {
  readonly acceptsBatches: boolean;
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #agentId: string;
  readonly #deps: SocketOutputDeps;
  readonly #unsent: Unsent;
  #frames: Frame[] = [];
  #queuedBytes = 0;
  #buffered: Frame[] | null = null;
  #bufferedBytes = 0;
  #openBuffers = 0;
  #isWatchingDrain = false;

  constructor(ws: WebSocket, socket: Duplex, agentId: string, deps: SocketOutputDeps) {
    this.#ws = ws;
    this.#socket = socket;
    this.#agentId = agentId;
    this.acceptsBatches = ws.protocol !== '';
    this.#deps = deps;
    this.#unsent = deps.unsent.open(agentId);
    // ws itself writes a pong for each ping. A peer that only sends pings and never reads must count as lagging too.
    ws.on('ping', () => this.#written());
  }

  get isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  get isBuffering(): boolean {
    return this.#buffered !== null;
  }

  get isBufferFull(): boolean {
    return this.#bufferedBytes > lagBytes;
  }

  send(payload: Payload): void {
    for (const frame of framesOfPayload(payload)) this.enqueue(frame);
    this.#count();
  }

  enqueue(frame: Frame): void {
    if (this.#buffered) {
      this.#buffered.push(frame);
      this.#bufferedBytes += sizeOfFrame(frame);
      return;
    }
    // A flush is also scheduled while earlier frames wait for the peer, because the flush checks whether too many bytes
    // wait.
    if (this.#frames.length === 0 || this.#isWatchingDrain) this.#deps.flusher.scheduleSocket(this);
    this.#frames.push(frame);
    this.#queuedBytes += sizeOfFrame(frame);
  }

  enqueueEvents(events: readonly EncodedEnvelope[]): void {
    this.enqueueFrames(framesOf(events, this.acceptsBatches), events.length);
  }

  enqueueFrames(frames: readonly Frame[], events: number): void {
    for (const frame of frames) this.enqueue(frame);
    this.#deps.flusher.caughtUp(events);
  }

  encodeEvents(events: readonly EncodedEnvelope[]): Promise<Buffer[]> {
    return this.#deps.slices.run(framesInSteps(events, this.acceptsBatches));
  }

  /**
   * Buffers further frames until the returned function is called. That function sends its payload before the buffered
   * frames. If several buffers are open, the frames wait until the last one ends.
   */
  buffer(): (payload: Payload | null) => void {
    this.#openBuffers += 1;
    this.#buffered ??= [];
    return (payload) => {
      this.#openBuffers -= 1;
      const buffered = this.#buffered ?? [];
      if (payload !== null) {
        const frames = framesOfPayload(payload);
        buffered.unshift(...frames);
        for (const frame of frames) this.#bufferedBytes += sizeOfFrame(frame);
      }
      if (this.#openBuffers === 0) {
        this.#buffered = null;
        this.#bufferedBytes = 0;
        for (const frame of buffered) this.enqueue(frame);
      }
      this.#count();
    };
  }

  flush(): void {
    this.#write(turnBytes);
  }

  /** Call it for a socket that is about to close. */
  flushAll(): void {
    this.#write(Infinity);
  }

  ping(): void {
    if (!this.isOpen) return;
    this.#ws.ping();
    this.#written();
  }

  /**
   * Resolves when the peer has read everything or the socket is closed. Calls `onStuck` when the peer reads nothing
   * for half a minute.
   */
  async drain(onStuck: () => void): Promise<void> {
    const stuck = setTimeout(onStuck, stuckMs).unref();
    this.flush();
    while (this.isOpen && (this.#socket.writableLength > 0 || this.#frames.length > 0)) {
      // The callback runs when all earlier writes have left this process, or the socket is destroyed.
      await new Promise<void>((resolve) => this.#socket.write('', () => resolve()));
      // The peer has read enough for the last flush to leave this process, so it is slow but not stuck.
      stuck.refresh();
      this.flush();
    }
    clearTimeout(stuck);
  }

  /** `bytes` limits one read of the log for this socket. These bytes count as unsent until `release` is called. */
  openPage(): { readonly bytes: number; release(): void } {
    // A socket gets a small page even over the budget. Otherwise the agent's sockets that do not read could block one
    // that reads.
    const bytes = this.#deps.unsent.isOver(this.#agentId) ? smallPageBytes : pageBytes;
    const page = this.#deps.unsent.open(this.#agentId);
    page.settle(bytes);
    return { bytes, release: () => page.release() };
  }

  /** Call it once, after the socket closed. */
  dispose(): void {
    this.#frames = [];
    this.#unsent.release();
  }

  /** Frames beyond `maxBytes` follow when the peer has read the earlier ones. */
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
    let small: Buffer[] = [];
    let smallBytes = 0;
    // Small pieces are copied into one buffer, because one buffer costs less to write than many.
    const writeSmall = () => {
      if (smallBytes === 0) return;
      this.#socket.write(small.length === 1 ? small[0] : Buffer.concat(small, smallBytes));
      small = [];
      smallBytes = 0;
    };
    const write = (piece: Buffer) => {
      if (smallBytes + piece.length > copiedBytes) writeSmall();
      if (piece.length > copiedBytes) {
        this.#socket.write(piece);
        return;
      }
      small.push(piece);
      smallBytes += piece.length;
    };
    this.#socket.cork();
    for (const frame of this.#frames) {
      if (bytes >= maxBytes) break;
      if (Buffer.isBuffer(frame)) write(frame);
      else frame.forEach(write);
      bytes += sizeOfFrame(frame);
      count += 1;
    }
    writeSmall();
    this.#socket.uncork();
    if (count === this.#frames.length) this.#frames = [];
    else this.#frames.splice(0, count);
    this.#queuedBytes -= bytes;
    this.#written();
  }

  #written(): void {
    this.#count();
    const { writableLength } = this.#socket;
    if (writableLength === 0) {
      if (this.#frames.length > 0) this.#deps.flusher.scheduleSocket(this);
      return;
    }
    this.#watchDrain();
    const isMuch = writableLength + this.#queuedBytes > lagBytes;
    if (isMuch || this.#deps.unsent.isOver(this.#agentId)) this.#deps.onOverLimit();
  }

  #count(): void {
    this.#unsent.settle(this.#socket.writableLength + this.#queuedBytes + this.#bufferedBytes);
  }

  #watchDrain(): void {
    if (this.#isWatchingDrain || !this.isOpen) return;
    this.#isWatchingDrain = true;
    this.#socket.write('', () => {
      this.#isWatchingDrain = false;
      this.#count();
      if (this.#frames.length > 0) this.#deps.flusher.scheduleSocket(this);
      else if (this.#socket.writableLength > 0) this.#watchDrain();
    });
  }
}

function framesOfPayload(payload: Payload): Frame[] {
  return typeof payload === 'string' ? [textFrame(payload)] : textFrames(payload);
}
