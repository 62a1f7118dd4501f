import type { RenewEntry } from './presence.ts';

/** Between two slices of one round. */
const stepMs = 50;
/** The fewest leases in a slice: as many take this process about a millisecond. */
const sliceMin = 200;

/** What a heartbeat renews, and how. */
export interface HeartbeatDeps {
  /** All leases; may change while it is walked. */
  entries(): Iterator<RenewEntry>;
  readonly size: number;
  /** Resolves with whether the store took it. Never rejects. `overdue`: see {@link createHeartbeat}. */
  renew(entries: readonly RenewEntry[], overdue: boolean): Promise<boolean>;
  monotonic(): number;
  /** A round that began then was taken as a whole. */
  onWhole?(startedMs: number): void;
}

/**
 * Renews all leases once per `heartbeatMs`, in slices spread over the first half of it, so that ten thousand leases
 * never hold the event loop or Redis for long. A slice that fails ends the round; the next one begins a tenth of the
 * time later. `overdue` says that no round was whole within the last lease: others may have taken these leases to be
 * dead.
 */
export function createHeartbeat(
  deps: HeartbeatDeps,
  { leaseMs, heartbeatMs }: { readonly leaseMs: number; readonly heartbeatMs: number },
) {
  let timer: NodeJS.Timeout | undefined;
  let wholeMs = deps.monotonic();
  let round = 0;
  let isHasty = false;

  const isOverdue = () => deps.monotonic() - wholeMs > leaseMs;

  function after(delayMs: number, work: () => void) {
    clearTimeout(timer);
    timer = setTimeout(work, delayMs);
    timer.unref();
  }

  async function begin(pauseMs: number): Promise<void> {
    const mine = (round += 1);
    isHasty = pauseMs === 0;
    const startedMs = deps.monotonic();
    const overdue = isOverdue();
    const walk = deps.entries();
    const sliceSize = Math.max(sliceMin, Math.ceil((deps.size * stepMs * 2) / heartbeatMs));

    async function step(): Promise<void> {
      const slice: RenewEntry[] = [];
      let next = walk.next();
      while (!next.done) {
        slice.push(next.value);
        if (slice.length === sliceSize) break;
        next = walk.next();
      }
      const taken = slice.length === 0 || (await deps.renew(slice, overdue));
      // Another round was begun meanwhile, or the heartbeat closed.
      if (mine !== round) return;
      if (!taken) return after(heartbeatMs / 10, () => void begin(pauseMs));
      if (!next.done) return after(pauseMs, () => void step());
      wholeMs = startedMs;
      deps.onWhole?.(startedMs);
      isHasty = false;
      after(Math.max(0, startedMs + heartbeatMs - deps.monotonic()), () => void begin(stepMs));
    }
    await step();
  }

  after(heartbeatMs, () => void begin(stepMs));

  return {
    /** Whether no round was whole within the last lease. */
    get overdue() {
      return isOverdue();
    },
    /** Whether everything is being renewed at once, and not all of it is yet. */
    get isHasty() {
      return isHasty;
    },
    /** Renews everything at once. */
    now: () => void begin(0),
    close() {
      round += 1;
      clearTimeout(timer);
    },
  };
}
