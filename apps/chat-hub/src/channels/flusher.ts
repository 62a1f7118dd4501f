import type { EncodedEnvelope } from '@openclaw/protocol';

export interface Flushable {
  flush(): void;
}

export interface Delivery {
  readonly channelId: string;
  readonly events: readonly EncodedEnvelope[];
  readonly sockets: number;
}

const maxWaitMs = 3;
/** A turn's work beyond this time waits for the next turn. */
const sliceMs = 4;
/** The clock is read once per this many sockets, because a reading costs a tenth of the flush of one socket. */
const socketsPerReading = 16;
/** `onWritten` is called when all sockets are flushed, or earlier after this many calls of `delivered`. */
const maxUnreported = 1_000;
/** The flusher waits 1 ms longer each time the deliveries per second rise by this number. */
const deliveriesPerWaitMs = 25_000;
const rateWindowMs = 100;

/**
 * Flushes rooms, then sockets, once per turn of the event loop, so that a room frames the events of a turn together.
 * Under load the flusher waits up to 3 ms, so that one system call carries more deliveries.
 */
export function createFlusher({
  onWritten = (_deliveries: readonly Delivery[]): void => undefined,
  clock = () => performance.now(),
} = {}) {
  const rooms = new Set<Flushable>();
  const sockets = new Set<Flushable>();
  let isScheduled = false;
  let timer: NodeJS.Timeout | undefined;
  let deliveries = 0;
  let unreported: Delivery[] = [];
  let rateStartMs = clock();
  let rateStartDeliveries = 0;
  let waitMs = 0;
  let flushedAtMs = -Infinity;

  function measure(nowMs: number) {
    const elapsedMs = nowMs - rateStartMs;
    if (elapsedMs < rateWindowMs) return;
    const perSecond = ((deliveries - rateStartDeliveries) * 1000) / elapsedMs;
    waitMs = Math.min(maxWaitMs, Math.floor(perSecond / deliveriesPerWaitMs));
    rateStartMs = nowMs;
    rateStartDeliveries = deliveries;
  }

  function flush() {
    const endMs = clock() + sliceMs;
    for (const room of rooms) {
      rooms.delete(room);
      room.flush();
      if (clock() >= endMs) break;
    }
    // If the rooms used up the slice, the sockets still get half a slice. Otherwise the frames would accumulate.
    const socketsEndMs = Math.max(endMs, clock() + sliceMs / 2);
    let flushed = 0;
    for (const socket of sockets) {
      sockets.delete(socket);
      socket.flush();
      flushed += 1;
      if (flushed % socketsPerReading === 0 && clock() >= socketsEndMs) break;
    }
    if (unreported.length > 0 && (sockets.size === 0 || unreported.length >= maxUnreported)) {
      const written = unreported;
      unreported = [];
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
    const delayMs = waitMs === 0 ? 0 : flushedAtMs + waitMs - clock();
    if (delayMs < 0.5) setImmediate(flush);
    else timer = setTimeout(flush, delayMs);
  }

  return {
    scheduleRoom(room: Flushable) {
      rooms.add(room);
      schedule();
    },
    scheduleSocket(socket: Flushable) {
      sockets.add(socket);
      schedule();
    },
    /** Counts the deliveries, because the flusher waits longer when their rate is higher. */
    delivered(delivery: Delivery) {
      deliveries += delivery.events.length * delivery.sockets;
      unreported.push(delivery);
    },
    /**
     * Counts events that a lagging socket gets from the log. `onWritten` does not report these, because they say
     * nothing about the speed of live delivery.
     */
    caughtUp(events: number) {
      deliveries += events;
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

export type Flusher = ReturnType<typeof createFlusher>;
