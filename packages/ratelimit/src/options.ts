import { resolveOptions } from '@openclaw/redis-client';
import { RateLimitError } from './errors.ts';
import type { Limits } from './limit.ts';

/**
 * How requests are decided while Redis is away or refuses to count. `memory`: this process counts alone. `allow`: every
 * request is allowed. `refuse`: every request is refused.
 */
export type WhenAway = 'memory' | 'allow' | 'refuse';

export interface RateLimiterOptions<Action extends string = string> {
  /** The limit of each action. Any other action is an error. */
  readonly limits: Limits<Action>;
  /**
   * The most agents per action in memory. Beyond this number, the agent idle for longest is dropped.
   * @default 100000
   */
  readonly maxAgents?: number;
  /** Has no effect without `redis`. @default 'memory' */
  readonly whenAway?: WhenAway;
  /**
   * Epoch milliseconds. Also replaces the time of Redis; use it only in tests.
   * @default the TIME of Redis; Date.now in memory
   */
  readonly clock?: () => number;
}

export interface LocalRateLimiterOptions<
  Action extends string = string,
> extends RateLimiterOptions<Action> {
  /** How often counts are exchanged with Redis. @default 100 */
  readonly exchangeMs?: number;
  /** The most agents in one exchange; the others wait for the next. @default 1000 */
  readonly maxPerExchange?: number;
  /**
   * Also applies before the first connection, because `consume` does not wait.
   * @default 'memory'
   */
  readonly whenAway?: WhenAway;
  /** Epoch milliseconds of this process. @default Date.now */
  readonly clock?: () => number;
  /** Replaces the time of Redis. For tests. */
  readonly redisClock?: () => number;
}

export const rateLimiterDefaults = {
  maxAgents: 100_000,
  exchangeMs: 100,
  maxPerExchange: 1000,
} as const;

/** @throws {RateLimitError} `invalid_options` */
export function parseWhenAway(value: WhenAway = 'memory'): WhenAway {
  if (['memory', 'allow', 'refuse'].includes(value)) return value;
  throw new RateLimitError(
    'invalid_options',
    `whenAway must be memory, allow or refuse, not ${String(value)}`,
  );
}

/** @throws {RateLimitError} `invalid_options` */
export function parseOptions(options: Partial<Record<keyof typeof rateLimiterDefaults, number>>) {
  return resolveOptions<Record<keyof typeof rateLimiterDefaults, number>>(
    rateLimiterDefaults,
    options,
    RateLimitError,
  );
}
