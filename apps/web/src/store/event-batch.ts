import type { Envelope } from '@openclaw/protocol';

/** Collects events and hands them on in batches, at most once a frame and less often under load. */
export interface EventBatch {
  push(envelope: Envelope): void;
  /** Hands on what waits, now. */
  flush(): void;
  close(): void;
}

/** Options of {@link createEventBatch}. */
export interface EventBatchOptions {
  /** Events that may wait; one more is handed on with them at once. @default 20_000 */
  readonly max?: number;
  /** Calls back before the next frame, or soon after when nothing is painted. */
  readonly onFrame: (callback: () => void) => void;
  readonly now?: () => number;
}

// Nobody reads a page that changes more often than this; drawing it would only make it slow to answer.
const busyEventsPerSecond = 120;
const busyIntervalMs = 200;
// Drawing gets a share of the time, not all of it, however slow the machine is.
const restPerCost = 4;
// A stall that was not ours is no reason to wait.
const restMaxMs = 500;

/** `onBatch` gets the events in the order in which they came. */
export function createEventBatch(
  onBatch: (envelopes: readonly Envelope[]) => void,
  { max = 20_000, onFrame, now = () => performance.now() }: EventBatchOptions,
): EventBatch {
  let waiting: Envelope[] = [];
  let isScheduled = false;
  let isClosed = false;
  let flushedAtMs = now();
  let restMs = 0;

  function flush() {
    if (waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    const startMs = now();
    const perSecond = (batch.length * 1000) / Math.max(1, startMs - flushedAtMs);
    const leastMs = perSecond > busyEventsPerSecond ? busyIntervalMs : 0;
    onBatch(batch);
    rest(startMs, leastMs);
    // What was changed is drawn after this turn: only then is it known what it cost.
    setTimeout(() => {
      rest(startMs, leastMs);
    });
  }

  function rest(startMs: number, leastMs: number) {
    flushedAtMs = now();
    restMs = Math.min(restMaxMs, Math.max((flushedAtMs - startMs) * restPerCost, leastMs));
  }

  function schedule() {
    if (isScheduled) return;
    isScheduled = true;
    const waitMs = flushedAtMs + restMs - now();
    const next = () =>
      onFrame(() => {
        isScheduled = false;
        if (!isClosed) flush();
      });
    if (waitMs > 16) setTimeout(next, waitMs - 8);
    else next();
  }

  return {
    push(envelope) {
      waiting.push(envelope);
      if (waiting.length >= max) flush();
      else schedule();
    },
    flush,
    close() {
      isClosed = true;
      waiting = [];
    },
  };
}
