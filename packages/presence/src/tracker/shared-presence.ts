import type { KeySchema } from '@openclaw/key-schema';
import { isDenied as isDeniedCall, type RedisClient, withFallback } from '@openclaw/redis-client';
import { PresenceError } from '../errors.ts';
import type { LeaseStore } from '../lease-store/lease-store.ts';
import { createRedisLeaseStore } from '../lease-store/redis-lease-store.ts';
import { parseOptions, type PresenceTrackerOptions } from '../options.ts';
import { createChanges, type ChangesDeps } from './changes.ts';
import { createPendingOffline } from './pending-offline.ts';
import { createRenewal } from './renewal.ts';
import { createWipeRepair } from './wipe-repair.ts';

/** How long a pending offline waits for other processes to restore their leases. */
const offlineWaitMs = 5_000;

export interface SharedPresenceDeps extends Pick<
  ChangesDeps,
  'localLeases' | 'emit' | 'warn' | 'now'
> {
  readonly redis: RedisClient;
  readonly keys: KeySchema;
  readonly onDegraded: (degraded: boolean) => void;
  /** Called when Redis has lost leases although the connection held. */
  readonly onWiped: () => void;
}

/** The part of a tracker that uses Redis. Presence is degraded while Redis is away or denies calls. */
export function createSharedPresence(
  { redis, keys, localLeases, emit, warn, now, onDegraded, onWiped }: SharedPresenceDeps,
  options: PresenceTrackerOptions,
) {
  const { leaseMs, heartbeatMs, reapMs } = parseOptions(options);
  const monotonic = options.clock ?? (() => performance.now());
  const store = createRedisLeaseStore({ redis, keys }, options);
  let wasAvailable = redis.available;
  let wasDegraded = !redis.available;
  /** The time of the last denied call. Null once all leases were renewed after it. */
  let deniedMs: number | null = null;
  const watched = new Map<string, number>();
  let reapingPausedUntilMs = -Infinity;
  let isReaping = false;

  const isAvailable = () => redis.available;
  const isDenied = () => deniedMs !== null;
  const isDegraded = () => !isAvailable() || isDenied();

  /** Other processes could not renew either, so they get `leaseMs` to restore their leases. */
  const pauseReaping = () => void (reapingPausedUntilMs = monotonic() + leaseMs);

  function updateDegraded(): void {
    if (isDegraded() === wasDegraded) return;
    wasDegraded = !wasDegraded;
    // Before the first connection there was no lease to restore.
    if (!wasDegraded && wasAvailable) pauseReaping();
    onDegraded(wasDegraded);
  }

  /** A denied call makes presence degraded. Redis lacks the denied writes, so its answers to reads may be wrong. */
  function noteDenial(error: unknown): void {
    if (!isDeniedCall(error)) return;
    deniedMs = monotonic();
    updateDegraded();
  }

  const pendingOffline = createPendingOffline(
    {
      async isPresent(channelId, agentId) {
        // While no process can renew, leases of connected agents expire too.
        if (isDegraded()) throw new PresenceError('unavailable', 'Redis takes no writes');
        return (await store.get(channelId, agentId)) !== null;
      },
      announce: emit,
      monotonic,
    },
    { waitMs: Math.min(offlineWaitMs, Math.floor(leaseMs / 3)), maxWaitMs: leaseMs },
  );
  const deps = { store, localLeases, emit, warn, isAvailable, onFailure: noteDenial };
  const changes = createChanges({
    ...deps,
    pendingOffline,
    now,
    isDenied,
    wasAvailable: () => wasAvailable,
  });
  const renewal = createRenewal(
    {
      ...deps,
      changes,
      monotonic,
      onWiped,
      onComplete(startedMs) {
        if (deniedMs === null || deniedMs >= startedMs) return;
        deniedMs = null;
        pendingOffline.restartWait();
        updateDegraded();
      },
    },
    { leaseMs, heartbeatMs },
  );

  async function reap(): Promise<void> {
    if (isReaping || isDegraded() || monotonic() < reapingPausedUntilMs) return;
    if (renewal.isOverdue) return pauseReaping();
    isReaping = true;
    try {
      const channelIds = new Set([...localLeases.channelIds(), ...watched.keys()]);
      for (const change of await store.reap([...channelIds])) emit(change, false);
    } catch (error) {
      warn({ err: error }, 'expired presence leases could not be reaped');
    } finally {
      isReaping = false;
    }
  }

  function watch(channelId: string): () => void {
    watched.set(channelId, (watched.get(channelId) ?? 0) + 1);
    let hasEnded = false;
    return () => {
      if (hasEnded) return;
      hasEnded = true;
      const others = (watched.get(channelId) ?? 1) - 1;
      if (others > 0) watched.set(channelId, others);
      else watched.delete(channelId);
    };
  }

  const repairAfterWipe = createWipeRepair({
    redis,
    keys,
    renewal,
    onWiped,
    warn,
    channelIds: localLeases.channelIds,
    leasesOf: localLeases.entriesOf,
    isExpected: (entry) => localLeases.has(entry) && !changes.isJoining(entry),
  });

  const timer = setInterval(() => {
    void reap();
    void pendingOffline.decideDue();
    if (!isDegraded()) void repairAfterWipe();
  }, reapMs).unref();

  const offAvailability = redis.onAvailability((available) => {
    updateDegraded();
    if (!available) return;
    wasAvailable = true;
    pendingOffline.restartWait();
    renewal.renewAllNow();
  });

  return {
    changes,
    isDegraded,
    watch,
    /** While Redis is away or denies calls, reads this process' own connections, with `degraded` true. */
    async read<T>(
      fromRedis: (store: LeaseStore) => Promise<T>,
      fromLocal: () => T,
    ): Promise<{ value: T; degraded: boolean }> {
      if (isDenied()) return { value: fromLocal(), degraded: true };
      return withFallback(
        redis,
        () => fromRedis(store),
        fromLocal,
        (error) => {
          noteDenial(error);
          return error instanceof PresenceError && error.code === 'unavailable';
        },
      );
    },
    stop() {
      offAvailability();
      renewal.close();
      clearInterval(timer);
    },
    /** Call it last, because it announces the pending offline records. */
    async close() {
      await pendingOffline.close();
      await store.close();
    },
  };
}
