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
  /** Adds to the count of deliveries, from which the window's width follows. */
  count(deliveries: number): void;
  readonly deliveries: number;
  close(): void;
}

const maxWindowMs = 3;
/** Deliveries a second for which the window widens by one millisecond. */
const deliveriesPerWindowMs = 25_000;
const rateSliceMs = 100;

/** Creates the one flusher of a hub. */
export function createFlusher(): Flusher {
  let rooms = new Set<Flushable>();
  let sockets = new Set<Flushable>();
  let isScheduled = false;
  let timer: NodeJS.Timeout | undefined;
  let deliveries = 0;
  let sliceStartMs = performance.now();
  let sliceStartDeliveries = 0;
  let windowMs = 0;

  function measure(nowMs: number) {
    const elapsedMs = nowMs - sliceStartMs;
    if (elapsedMs < rateSliceMs) return;
    const perSecond = ((deliveries - sliceStartDeliveries) * 1000) / elapsedMs;
    windowMs = Math.min(maxWindowMs, Math.floor(perSecond / deliveriesPerWindowMs));
    sliceStartMs = nowMs;
    sliceStartDeliveries = deliveries;
  }

  function flush() {
    isScheduled = false;
    const dirtyRooms = rooms;
    rooms = new Set();
    for (const room of dirtyRooms) room.flush();
    const dirtySockets = sockets;
    sockets = new Set();
    for (const socket of dirtySockets) socket.flush();
    measure(performance.now());
  }

  function schedule() {
    if (isScheduled) return;
    isScheduled = true;
    if (windowMs === 0) setImmediate(flush);
    else timer = setTimeout(flush, windowMs);
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
    count(more) {
      deliveries += more;
    },
    get deliveries() {
      return deliveries;
    },
    close() {
      clearTimeout(timer);
      if (isScheduled) flush();
    },
  };
}
