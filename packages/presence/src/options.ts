import { ttlMs } from '@openclaw/key-schema';
import { resolveOptions } from '@openclaw/redis-client';
import { PresenceError } from './errors.ts';

export interface LeaseStoreOptions {
  /**
   * How long a lease lasts without a heartbeat. All processes that share a Redis and prefix must use the same value,
   * because a reaper skips a channel until the first of its leases can have ended.
   * @default 300000
   */
  readonly leaseMs?: number;
  /** Replaces the time of Redis, or of this process for a memory store, in ms. For tests. */
  readonly clock?: () => number;
}

export interface MemoryLeaseStoreOptions extends LeaseStoreOptions {
  /** Further joins fail with `full`. @default 1000000 */
  readonly maxLeases?: number;
}

export interface RedisLeaseStoreOptions extends LeaseStoreOptions {
  /**
   * Unique among living processes. Leases of this hub are reaped without a call of
   * {@link RedisLeaseStoreOptions.redislessHubs}. @default random, in a tracker
   */
  readonly hubId?: string;
  /**
   * Returns those of the given hubs that are alive and cannot reach Redis. Called before leases of other hubs are
   * reaped. The leases of the returned hubs are extended by a third of a lease instead. While this function rejects, no
   * lease of another hub is reaped. Without this function, only expiry decides.
   */
  readonly redislessHubs?: (hubIds: readonly string[]) => Promise<ReadonlySet<string>>;
}

export interface PresenceTrackerOptions extends RedisLeaseStoreOptions {
  /** How often each lease is renewed; at most a third of a lease. @default 10000 */
  readonly heartbeatMs?: number;
  /**
   * How often the reaper looks for expired leases. With half a second, an offline event is announced within a second
   * after the expiry.
   * @default 500
   */
  readonly reapMs?: number;
  /** The most leases that this process tracks; a further `track` fails with `full`. @default 1000000 */
  readonly maxLeases?: number;
}

export const presenceDefaults = {
  leaseMs: ttlMs.presence,
  heartbeatMs: 10_000,
  reapMs: 500,
  maxLeases: 1_000_000,
} as const;

/** The numeric options with their defaults. @throws {PresenceError} `invalid_options` */
export function parseOptions(options: PresenceTrackerOptions) {
  return resolveOptions<Record<keyof typeof presenceDefaults, number>>(
    presenceDefaults,
    options,
    PresenceError,
  );
}
