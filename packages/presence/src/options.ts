import { ttlMs } from '@openclaw/key-schema';
import { PresenceError } from './errors.ts';

/** Options of every kind of presence. All times are milliseconds. */
export interface LeaseStoreOptions {
  /**
   * How long a connection counts as there without a heartbeat. Everyone who shares a Redis and prefix must use the
   * same: a reaper does not look at a channel again before the first of its leases can have ended.
   * @default 300000
   */
  readonly leaseMs?: number;
  /** The time, instead of Redis' own (and, in memory, this process'). For tests. */
  readonly clock?: () => number;
}

/** Options of {@link createMemoryLeaseStore}. */
export interface MemoryLeaseStoreOptions extends LeaseStoreOptions {
  /** Further joins fail with `full`. @default 1000000 */
  readonly maxLeases?: number;
}

/** Options of {@link createRedisLeaseStore}. */
export interface RedisLeaseStoreOptions extends LeaseStoreOptions {
  /** Leases of this hub are reaped without asking {@link RedisLeaseStoreOptions.redislessHubs}. */
  readonly hubId?: string;
  /**
   * Which of these hubs live and cannot reach Redis. Asked before the leases of another hub are reaped; theirs are
   * lengthened in their stead by a third of a lease. Whoever reaches Redis renews its own: a lease of it that ends is one
   * it gave up, brought back by a restored snapshot. While this rejects, nothing of another hub is reaped. Left out,
   * expiry alone decides.
   */
  readonly redislessHubs?: (hubIds: readonly string[]) => Promise<ReadonlySet<string>>;
}

/** Options of {@link createPresence}. */
export interface PresenceTrackerOptions extends RedisLeaseStoreOptions {
  /** How often each lease is renewed; at most a third of a lease. @default 10000 */
  readonly heartbeatMs?: number;
  /** How often ended leases are looked for. Half a second keeps an offline event within a second of the lease's end. @default 500 */
  readonly reapMs?: number;
  /** The most leases this process tracks; further ones fail with `full`. @default 1000000 */
  readonly maxLeases?: number;
}

/** The defaults of all options that have one. */
export const presenceDefaults = {
  leaseMs: ttlMs.presence,
  heartbeatMs: 10_000,
  reapMs: 500,
  maxLeases: 1_000_000,
} as const;

/** The numbers among the options, each given or by default. @throws {PresenceError} `invalid_options` */
export function parseOptions(options: PresenceTrackerOptions): {
  -readonly [name in keyof typeof presenceDefaults]: number;
} {
  const parsed: Record<keyof typeof presenceDefaults, number> = { ...presenceDefaults };
  for (const name of Object.keys(presenceDefaults) as (keyof typeof presenceDefaults)[]) {
    const value = options[name] ?? presenceDefaults[name];
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new PresenceError('invalid_options', `${name} must be a positive integer`);
    }
    parsed[name] = value;
  }
  return parsed;
}
