import type { Limit } from './limit.ts';

/** The answer of a limiter to one request. */
export interface Decision {
  /** True if the request is allowed; it is then counted. A refused request is not counted. */
  readonly allowed: boolean;
  readonly limit: number;
  /** How many more requests would be allowed now. */
  readonly remaining: number;
  /** Milliseconds until counted requests leave the window and make room; 0 when none is counted. */
  readonly resetMs: number;
  /** Milliseconds until this request would be allowed; 0 when it was. */
  readonly retryAfterMs: number;
  /** True while Redis is away or refuses to count: this process decided alone. Always false without Redis. */
  readonly degraded: boolean;
}

/** `count` is the number of requests in the window after the decision. */
export function toDecision(
  { limit }: Limit,
  allowed: boolean,
  count: number,
  resetMs: number,
  degraded = false,
): Decision {
  return {
    allowed,
    limit,
    remaining: Math.max(0, limit - count),
    resetMs,
    retryAfterMs: allowed ? 0 : resetMs,
    degraded,
  };
}

/** When to retry a request that was refused because Redis is away. */
const retryMs = 1000;

/** The decision while Redis is away and `whenAway` says not to count in this process. */
export function uncountedDecision({ limit }: Limit, allowed: boolean): Decision {
  return {
    allowed,
    limit,
    remaining: allowed ? limit : 0,
    resetMs: allowed ? 0 : retryMs,
    retryAfterMs: allowed ? 0 : retryMs,
    degraded: true,
  };
}

/** How many requests must leave the window before another one is allowed. */
export function excessOf({ limit }: Limit, count: number): number {
  return Math.max(1, count - limit + 1);
}
