import { ttlMs } from '@openclaw/key-schema';
import { resolveOptions } from '@openclaw/redis-client';
import { PresenceError } from './errors.ts';

export interface LeaseStoreOptions {
  /**
   * How long a lease lasts without a heartbeat. All processes on one Redis and prefix need the same value, because a
   * reaper skips a channel until its first lease can have ended.
   * @default 300000
   */
  readonly leaseMs?: number;
  /** Returns epoch milliseconds. Replaces the time of Redis; without Redis, the time of this process. For tests. */
  readonly clock?: () => number;
}

export interface MemoryLeaseStoreOptions extends LeaseStoreOptions {
  /** Further joins fail with `full`. @default 1000000 */
  readonly maxLeases?: number;
}

export interface RedisLeaseStoreOptions extends LeaseStoreOptions {
  /**
   * Unique among living processes. Leases of this hub are reaped without a call of
   * {@link RedisLeaseStoreOptions.redislessHubs}.
   * @default random, in a tracker
   */
  readonly hubId?: string;
  /**
   * Returns those of the given hubs that are alive but cannot reach Redis. Their leases are extended by a third of
   * `leaseMs`. Called before leases of other hubs are reaped. While it rejects, no lease of another hub is reaped.
   * Without this option, only expiry decides.
   */
  readonly redislessHubs?: (hubIds: readonly string[]) => Promise<ReadonlySet<string>>;
}

export interface PresenceTrackerOptions extends RedisLeaseStoreOptions {
  /** The interval of renewals; at most a third of a lease. @default 10000 */
  readonly heartbeatMs?: number;
  /**
   * The interval of the reaper. With the default, an offline event is announced within a second of the expiry.
   * @default 500
   */
  readonly reapMs?: number;
  /** The most leases of this process; a further `track` fails with `full`. @default 1000000 */
  readonly maxLeases?: number;
}

export const presenceDefaults = {
  leaseMs: ttlMs.presence,
  heartbeatMs: 10_000,
  reapMs: 500,
  maxLeases: 1_000_000,
} as const;

/** @throws {PresenceError} `invalid_options` */
export function parseOptions(options: PresenceTrackerOptions) {
  return resolveOptions<Record<keyof typeof presenceDefaults, number>>(
    presenceDefaults,
    options,
    PresenceError,
  );
}
