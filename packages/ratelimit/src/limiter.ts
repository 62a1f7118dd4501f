import type { KeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import type { Decision } from './decision.ts';
import type { Limits } from './limit.ts';
import { createMemoryRateLimiter } from './memory-limiter.ts';
import type { RateLimiterOptions } from './options.ts';
import { createRedisRateLimiter } from './redis-limiter.ts';

/**
 * Exact limits: never more than `limit` requests of an agent in any `windowMs`, over all processes on one Redis. A
 * request is refused only when `limit` were allowed within `windowMs` and one slice (a sixtieth) before it.
 */
export interface RateLimiter<Action extends string = string> {
  readonly limits: Limits<Action>;
  /**
   * Decides whether a request may go on, and counts it if so. One script, one round trip; waits for
   * the client's first connection. With Redis away, or refusing to count, `whenAway` decides, and the decision says
   * `degraded`: by default this process counts alone, from zero.
   * @throws {RateLimitError} `unknown_action`, `invalid_agent`
   */
  consume(action: Action, agentId: string): Promise<Decision>;
  /** How many requests stand in the window. Writes nothing. Errors as `consume`. */
  count(action: Action, agentId: string): Promise<number>;
  /** Forgets what was counted, as DEL of the counter does. With Redis away only what this process counted. Errors as `consume`. */
  reset(action: Action, agentId: string): Promise<void>;
  /** Releases memory. The Redis client is its creator's to close. */
  close(): Promise<void>;
}

/** What {@link createRateLimiter} and {@link createLocalRateLimiter} count on; without it they count in memory. */
export interface RateLimiterDeps {
  readonly redis: RedisClient;
  readonly keys: KeySchema;
}

/** Makes an exact limiter on Redis, or in memory when there is none. @throws {RateLimitError} `invalid_options` */
export function createRateLimiter<Action extends string>(
  deps: RateLimiterDeps | Record<string, never>,
  options: RateLimiterOptions<Action>,
): RateLimiter<Action> {
  return hasRedis(deps) ? createRedisRateLimiter(deps, options) : createMemoryRateLimiter(options);
}

/** Whether there is a Redis to count on. */
export function hasRedis(deps: RateLimiterDeps | Record<string, never>): deps is RateLimiterDeps {
  return 'redis' in deps && deps.redis !== undefined;
}
