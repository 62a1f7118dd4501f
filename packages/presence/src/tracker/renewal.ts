import type { RenewEntry } from '../lease-store/lease-store.ts';
import type { Changes, ChangesDeps } from './changes.ts';

const pauseMs = 50;
/** Renewing this many leases takes about a millisecond. */
const sliceMin = 200;

export interface HeartbeatDeps {
  /** The entries may change during the iteration. */
  entries(): Iterator<RenewEntry>;
  readonly size: number;
  /** False if the store did not accept the slice. Never rejects. `overdue`: see {@link createHeartbeat}. */
  renew(entries: readonly RenewEntry[], overdue: boolean): Promise<boolean>;
  monotonic(): number;
  onComplete?(startedMs: number): void;
}

/**
 * Renews all leases once per `heartbeatMs`, in slices, so that ten thousand leases do not block the event loop or
 * Redis. After a failed slice, the next round begins after a tenth of `heartbeatMs`. `overdue`: no round was completed
 * within `leaseMs`, so other processes may have reported this process' agents offline.
 */
export function createHeartbeat(
  deps: HeartbeatDeps,
  { leaseMs, heartbeatMs }: { readonly leaseMs: number; readonly heartbeatMs: number },
) {
  let timer: NodeJS.Timeout | undefined;
  let lastCompleteMs = deps.monotonic();
  let roundCount = 0;
  let isCatchingUp = false;

  const isOverdue = () => deps.monotonic() - lastCompleteMs > leaseMs;

  function schedule(delayMs: number, work: () => Promise<void>) {
    clearTimeout(timer);
    timer = setTimeout(() => void work(), delayMs);
    timer.unref();
  }

  async function startRound(betweenMs: number): Promise<void> {
    const round = (roundCount += 1);
    isCatchingUp = betweenMs === 0;
    const startedMs = deps.monotonic();
    const overdue = isOverdue();
    const leases = deps.entries();
    const sliceSize = Math.max(sliceMin, Math.ceil((deps.size * pauseMs * 2) / heartbeatMs));

    async function renewSlice(): Promise<void> {
      const slice: RenewEntry[] = [];
      let next = leases.next();
      while (!next.done) {
        slice.push(next.value);
        if (slice.length === sliceSize) break;
        next = leases.next();
      }
      const isAccepted = slice.length === 0 || (await deps.renew(slice, overdue));
      // A newer round has begun, or the heartbeat was closed.
      if (round !== roundCount) return;
      if (!isAccepted) return schedule(heartbeatMs / 10, () => startRound(betweenMs));
      if (!next.done) return schedule(betweenMs, renewSlice);
      lastCompleteMs = startedMs;
      deps.onComplete?.(startedMs);
      isCatchingUp = false;
      const restMs = Math.max(0, startedMs + heartbeatMs - deps.monotonic());
      schedule(restMs, () => startRound(pauseMs));
    }
    await renewSlice();
  }

  schedule(heartbeatMs, () => startRound(pauseMs));

  return {
    get isOverdue() {
      return isOverdue();
    },
    /** True from {@link renewAllNow} until all leases are renewed. */
    get isCatchingUp() {
      return isCatchingUp;
    },
    renewAllNow: () => void startRound(0),
    close() {
      roundCount += 1;
      clearTimeout(timer);
    },
  };
}

export interface RenewalDeps extends Pick<
  ChangesDeps,
  'store' | 'localLeases' | 'isAvailable' | 'onFailure' | 'emit' | 'warn'
> {
  readonly changes: Pick<Changes, 'adoptState' | 'isJoining' | 'leave' | 'replay'>;
  readonly onComplete: (startedMs: number) => void;
  readonly onWiped: () => void;
  readonly monotonic: () => number;
}

/** Renews this process' leases. Each round first replays what Redis missed. */
export function createRenewal(
  deps: RenewalDeps,
  settings: { readonly leaseMs: number; readonly heartbeatMs: number },
) {
  const { store, localLeases, changes, isAvailable, monotonic } = deps;
  let replaying = Promise.resolve();

  async function renew(entries: readonly RenewEntry[], overdue: boolean): Promise<boolean> {
    await replaying;
    if (!isAvailable()) return false;
    // If a lease were renewed before its join, the join would change nothing, and no process would announce the agent.
    const joined = entries.filter((entry) => !changes.isJoining(entry));
    let lostCount = 0;
    try {
      for (const { gone, stateGone, channelId, record } of await store.renew(joined)) {
        const change = { channelId, record };
        changes.adoptState(change);
        if (gone && stateGone) lostCount += 1;
        // Without `overdue`, a missing lease was wiped before its expiry. No process announced its end, so its return
        // is not announced either.
        if (gone && overdue) deps.emit(change, false);
      }
    } catch (error) {
      deps.onFailure(error);
      deps.warn({ err: error }, 'presence leases could not be renewed');
      return false;
    }
    // A wipe is reported here, because this renewal restored the leases and hid the wipe from the periodic check.
    const isWipe = lostCount > 0 && lostCount === joined.length;
    if (isWipe && !overdue && !heartbeat.isCatchingUp) deps.onWiped();
    for (const entry of joined) {
      if (!localLeases.has(entry)) void changes.leave(entry, null, true);
    }
    return true;
  }

  const heartbeat = createHeartbeat(
    {
      entries() {
        if (isAvailable()) replaying = changes.replay();
        return localLeases.entries();
      },
      get size() {
        return localLeases.size;
      },
      renew,
      monotonic,
      onComplete: deps.onComplete,
    },
    settings,
  );
  return heartbeat;
}
