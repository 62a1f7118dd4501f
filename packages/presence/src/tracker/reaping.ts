import type { LeaseStore, PresenceChange } from '../lease-store/lease-store.ts';

export interface ReapingDeps {
  readonly store: Pick<LeaseStore, 'reap'>;
  /** The channels in which this process has connections. */
  readonly channelIds: () => Iterable<string>;
  readonly isDegraded: () => boolean;
  /** True when this process could not renew its own leases for a lease. */
  readonly isRenewalOverdue: () => boolean;
  readonly emit: (change: PresenceChange, degraded: boolean) => void;
  readonly warn: (details: object, message: string) => void;
  readonly monotonic: () => number;
}

/** Reaps the channels of this process and those it watches, and announces the agents whose last lease has ended. */
export function createReaping(deps: ReapingDeps, { leaseMs }: { readonly leaseMs: number }) {
  const { store, monotonic } = deps;
  /** The channels that are watched, with the number of watchers. */
  const watched = new Map<string, number>();
  let pausedUntilMs = -Infinity;
  let isReaping = false;

  /** Other processes could not renew either: they get a lease of time to write their leases again. */
  const pauseForLease = () => void (pausedUntilMs = monotonic() + leaseMs);

  return {
    pauseForLease,
    /** Call it periodically. Never rejects. */
    async reap(): Promise<void> {
      if (isReaping || deps.isDegraded() || monotonic() < pausedUntilMs) return;
      if (deps.isRenewalOverdue()) return pauseForLease();
      isReaping = true;
      try {
        const channelIds = new Set([...deps.channelIds(), ...watched.keys()]);
        for (const change of await store.reap([...channelIds])) deps.emit(change, false);
      } catch (error) {
        deps.warn({ err: error }, 'expired presence leases could not be reaped');
      } finally {
        isReaping = false;
      }
    },
    watch: (channelId: string): (() => void) => {
      watched.set(channelId, (watched.get(channelId) ?? 0) + 1);
      let hasEnded = false;
      return () => {
        if (hasEnded) return;
        hasEnded = true;
        const others = (watched.get(channelId) ?? 1) - 1;
        if (others > 0) watched.set(channelId, others);
        else watched.delete(channelId);
      };
    },
  };
}
