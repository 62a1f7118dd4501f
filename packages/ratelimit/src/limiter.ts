import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
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
   * Decides about a request, and counts it if it is allowed. One script, one round trip; waits for the client's first
   * connection. While Redis is away or refuses to count, `whenAway` decides, and the decision says `degraded`: by default
   * this process counts alone, from zero.
   * @throws {RateLimitError} `unknown_action`, `invalid_agent`
   */
  consume(action: Action, agentId: string): Promise<Decision>;
  /** The number of requests in the window. Writes nothing. Errors as `consume`. */
  count(action: Action, agentId: string): Promise<number>;
  /** Resets the count, as DEL of the counter does; while Redis is away only that of this process. Errors as `consume`. */
  reset(action: Action, agentId: string): Promise<void>;
  /** Frees memory. Does not close the Redis client. */
  close(): Promise<void>;
}

/** Without `redis`, requests are counted in memory, for this process alone. */
export interface RateLimiterDeps {
  readonly redis?: RedisClient;
  /** @default createKeySchema() */
  readonly keys?: KeySchema;
}

/** Creates an exact limiter on Redis, or in memory without it. @throws {RateLimitError} `invalid_options` */
export function createRateLimiter<Action extends string>(
  { redis, keys = createKeySchema() }: RateLimiterDeps,
  options: RateLimiterOptions<Action>,
): RateLimiter<Action> {
  return redis
    ? createRedisRateLimiter({ redis, keys }, options)
    : createMemoryRateLimiter(options);
}
