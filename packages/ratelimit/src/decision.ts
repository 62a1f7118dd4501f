import type { Limit } from './limit.ts';

/** What a limiter answers to one request. */
export interface Decision {
  /** Whether the request may go on; it is then counted. A refused one is not. */
  readonly allowed: boolean;
  /** The most requests in a window. */
  readonly limit: number;
  /** How many more would be allowed now. */
  readonly remaining: number;
  /** Milliseconds until counted requests leave the window and make room; 0 when none is counted. */
  readonly resetMs: number;
  /** Milliseconds until this request would be allowed; 0 when it was. */
  readonly retryAfterMs: number;
  /** True when this process counted alone: there is no Redis, or it is away or refuses to count. */
  readonly degraded: boolean;
}

/** A {@link Decision} from its parts: `count` is what stands in the window after it. */
export function toDecision(
  { limit }: Limit,
  allowed: boolean,
  count: number,
  resetMs: number,
  degraded: boolean,
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

/** When a request that was refused because Redis is away may be repeated. */
const retryMs = 1000;

/** The decision on an uncounted request: Redis is away, and `whenAway` keeps this process from counting instead. */
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

/** How many requests must leave the window before there is more room than now: one, or what stands above the limit. */
export function mustLeave({ limit }: Limit, count: number): number {
  return Math.max(1, count - limit + 1);
}
