import type { EncodedEnvelope } from '@openclaw/protocol';

/** Something with output to send at the end of the turn. */
export interface Flushable {
  flush(): void;
}

/**
 * Gathers what one turn of the event loop brings, so that a room frames its events once and each socket is written
 * once. Under load the window widens by itself, so that system calls per delivery fall as traffic rises.
 */
export interface Flusher {
  /** The room has events to hand to its sockets; rooms flush before sockets. */
  room(room: Flushable): void;
  /** The socket has frames to write. */
  socket(socket: Flushable): void;
  /** A room handed events to its sockets: counted, for the window's width follows from it, and told when written. */
  handed(handed: Handed): void;
  readonly deliveries: number;
  close(): void;
}

/** Events that a room handed to so many sockets. */
export interface Handed {
  readonly channelId: string;
  readonly events: readonly EncodedEnvelope[];
  readonly sockets: number;
}

/** Options of {@link createFlusher}. */
export interface FlusherOptions {
  /** Told at the end of a turn what was written in it. */
  readonly onWritten?: (handed: readonly Handed[]) => void;
  /** Now, in ms. @default performance.now */
  readonly clock?: () => number;
}

const maxWindowMs = 3;
/** How long one turn may frame and write before the rest waits for the next. */
const sliceMs = 4;
/** Sockets between two looks at the clock, which costs a tenth of what a socket does. */
const socketsPerLook = 16;
/** Entries of `handed` after which `onWritten` is called even while sockets have more to write. */
const maxHanded = 1_000;
/** Deliveries a second for which the window widens by one millisecond. */
const deliveriesPerWindowMs = 25_000;
const rateSliceMs = 100;

/** Creates the one flusher of a hub. */
export function createFlusher({
  onWritten,
  clock = () => performance.now(),
}: FlusherOptions = {}): Flusher {
  const rooms = new Set<Flushable>();
  const sockets = new Set<Flushable>();
  let isScheduled = false;
  let timer: NodeJS.Timeout | undefined;
  let deliveries = 0;
  let handed: Handed[] = [];
  let sliceStartMs = clock();
  let sliceStartDeliveries = 0;
  let windowMs = 0;
  let flushedAtMs = -Infinity;

  function measure(nowMs: number) {
    const elapsedMs = nowMs - sliceStartMs;
    if (elapsedMs < rateSliceMs) return;
    const perSecond = ((deliveries - sliceStartDeliveries) * 1000) / elapsedMs;
    windowMs = Math.min(maxWindowMs, Math.floor(perSecond / deliveriesPerWindowMs));
    sliceStartMs = nowMs;
    sliceStartDeliveries = deliveries;
  }

  function flush() {
    const endMs = clock() + sliceMs;
    for (const room of rooms) {
      rooms.delete(room);
      room.flush();
      if (clock() >= endMs) break;
    }
    // However much the rooms bring: else it would only pile up.
    const socketsEndMs = Math.max(endMs, clock() + sliceMs / 2);
    let flushed = 0;
    for (const socket of sockets) {
      sockets.delete(socket);
      socket.flush();
      flushed += 1;
      if (flushed % socketsPerLook === 0 && clock() >= socketsEndMs) break;
    }
    if (onWritten && handed.length > 0 && (sockets.size === 0 || handed.length >= maxHanded)) {
      const written = handed;
      handed = [];
      onWritten(written);
    }
    if (rooms.size + sockets.size > 0) {
      setImmediate(flush);
      return;
    }
    isScheduled = false;
    flushedAtMs = clock();
    measure(flushedAtMs);
  }

  function schedule() {
    if (isScheduled) return;
    isScheduled = true;
    const waitMs = windowMs === 0 ? 0 : flushedAtMs + windowMs - clock();
    if (waitMs < 0.5) setImmediate(flush);
    else timer = setTimeout(flush, waitMs);
  }

  return {
    room(room) {
      rooms.add(room);
      schedule();
    },
    socket(socket) {
      sockets.add(socket);
      schedule();
    },
    handed(one) {
      deliveries += one.events.length * one.sockets;
      if (onWritten) handed.push(one);
    },
    get deliveries() {
      return deliveries;
    },
    close() {
      clearTimeout(timer);
      while (rooms.size + sockets.size > 0) flush();
    },
  };
}
