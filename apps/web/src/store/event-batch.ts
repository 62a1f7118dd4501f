import type { Envelope } from '@openclaw/protocol';

export interface EventBatchOptions {
  /** When this many events wait, they are delivered at once. @default 20_000 */
  readonly max?: number;
  /** Must call `callback` before the next frame, or soon if no frame is painted. */
  readonly onFrame: (callback: () => void) => void;
  readonly now?: () => number;
}

// If events come faster than this, the page changes only every `busyIntervalMs`. More changes would be unreadable, and
// rendering them would delay input.
const busyEventsPerSecond = 120;
const busyIntervalMs = 200;
// After a batch that took the time t, the next one waits at least 4 t, so that input can be handled
// in between.
const restPerCost = 4;
// The pause is bounded, because another process may have made a batch slow.
const restMaxMs = 500;

/** Events stay in order. Delivers at most once per frame, and less often under load. */
export function createEventBatch(
  onBatch: (envelopes: readonly Envelope[]) => void,
  { max = 20_000, onFrame, now = () => performance.now() }: EventBatchOptions,
) {
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
    const rest = () => {
      flushedAtMs = now();
      restMs = Math.min(restMaxMs, Math.max((flushedAtMs - startMs) * restPerCost, leastMs));
    };
    onBatch(batch);
    rest();
    // Components are rendered after this task, so the cost is measured again after the rendering.
    setTimeout(rest);
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
    push(envelope: Envelope) {
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
