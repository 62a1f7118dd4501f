import { RateLimitError } from './errors.ts';
import type { Limits } from './limit.ts';

/**
 * What a limiter decides while Redis is away or refuses to count. `memory`: this process counts alone. `allow`: every
 * request goes on. `refuse`: none does.
 */
export type WhenAway = 'memory' | 'allow' | 'refuse';

/** Options of {@link createRateLimiter} and {@link createMemoryRateLimiter}. */
export interface RateLimiterOptions<Action extends string = string> {
  /** The limit of each action. No other action may be asked for. */
  readonly limits: Limits<Action>;
  /**
   * How many agents this process remembers per action while it counts alone; past it the one idle longest is forgotten.
   * @default 100000
   */
  readonly maxAgents?: number;
  /** What is decided while Redis is away; without Redis from the beginning it has no effect. @default 'memory' */
  readonly whenAway?: WhenAway;
  /**
   * Epoch milliseconds. When given it replaces the time of Redis too, which only a test should do.
   * @default the TIME of Redis; Date.now in memory
   */
  readonly clock?: () => number;
}

/** Options of {@link createLocalRateLimiter}. */
export interface LocalRateLimiterOptions<Action extends string = string> {
  /** The limit of each action. No other action may be asked for. */
  readonly limits: Limits<Action>;
  /** How often counts are exchanged with Redis. @default 100 */
  readonly exchangeMs?: number;
  /** How many counters one exchange carries at most; the others go with the next. @default 1000 */
  readonly maxPerExchange?: number;
  /** How many agents are remembered per action; past it the one idle longest is forgotten. @default 100000 */
  readonly maxAgents?: number;
  /**
   * What is decided while Redis is away; without Redis from the beginning it has no effect. As `consume` does not wait,
   * Redis is away until the first connection. @default 'memory'
   */
  readonly whenAway?: WhenAway;
  /** Epoch milliseconds, this process' own time. @default Date.now */
  readonly clock?: () => number;
  /** For tests: replaces the TIME of Redis. */
  readonly redisClock?: () => number;
}

/** The defaults of {@link RateLimiterOptions} and {@link LocalRateLimiterOptions}. */
export const rateLimiterDefaults = {
  maxAgents: 100_000,
  exchangeMs: 100,
  maxPerExchange: 1000,
} as const;

/** The value, or the default. @throws {RateLimitError} `invalid_options` */
export function parseWhenAway(value: WhenAway = 'memory'): WhenAway {
  if (['memory', 'allow', 'refuse'].includes(value)) return value;
  throw new RateLimitError('invalid_options', `whenAway must not be ${String(value)}`);
}

/** The value, or the default, when it is a positive integer. @throws {RateLimitError} `invalid_options` */
export function positiveInteger(
  name: keyof typeof rateLimiterDefaults,
  value: number | undefined,
): number {
  const chosen = value ?? rateLimiterDefaults[name];
  if (Number.isSafeInteger(chosen) && chosen > 0) return chosen;
  throw new RateLimitError('invalid_options', `${name} must be a positive integer, not ${chosen}`);
}
