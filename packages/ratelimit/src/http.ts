import type { Decision } from './decision.ts';
import { limitOf, type Limits } from './limit.ts';

/** The part of a limiter that a middleware needs: the exact one or the local one. */
export interface Consumer<Action extends string = string> {
  readonly limits: Limits<Action>;
  consume(action: Action, agentId: string): Decision | Promise<Decision>;
}

/** What to do with one HTTP request. */
export interface HttpRateLimit {
  readonly allowed: boolean;
  /** Header fields for the response, refused or not. */
  readonly headers: Readonly<Record<string, string>>;
  /** The 429 response's `application/problem+json` body; null when allowed. */
  readonly problem: RateLimitProblem | null;
}

/** A problem (RFC 9457) of the type that the RateLimit draft registers, and the hub's own error code. */
export interface RateLimitProblem {
  readonly type: 'https://iana.org/assignments/http-problem-types#quota-exceeded';
  readonly title: string;
  readonly status: 429;
  readonly 'violated-policies': readonly string[];
  readonly code: 'rate_limited';
  readonly retryAfterMs: number;
}

/** How {@link httpRateLimit} reads a request. */
export interface HttpRateLimitOptions<Request, Action extends string = string> {
  readonly action: Action;
  /** Whose limit the request counts on; null: it is not limited (because something else refuses it, say). */
  readonly agentOf: (request: Request) => string | null;
}

const wholeSeconds = (ms: number) => Math.ceil(ms / 1000);

/**
 * The header fields of a decision, as draft-ietf-httpapi-ratelimit-headers-10 has them: `RateLimit-Policy`
 * (quota and window), `RateLimit` (what remains, seconds until there is more), and `Retry-After` when refused. The
 * policy is named for the action. Seconds are rounded up.
 */
export function rateLimitHeaders(
  action: string,
  windowMs: number,
  decision: Decision,
): Record<string, string> {
  const { limit, remaining, resetMs, allowed, retryAfterMs } = decision;
  return {
    'RateLimit-Policy': `"${action}";q=${limit};w=${wholeSeconds(windowMs)}`,
    RateLimit: `"${action}";r=${remaining};t=${wholeSeconds(resetMs)}`,
    // At least a second: Retry-After 0 would ask for a storm.
    ...(allowed ? {} : { 'Retry-After': String(Math.max(1, wholeSeconds(retryAfterMs))) }),
  };
}

/** Makes a framework-neutral check: request in, verdict and header fields out. Costs what the limiter's `consume` costs. */
export function httpRateLimit<Request, Action extends string>(
  limiter: Consumer<Action>,
  { action, agentOf }: HttpRateLimitOptions<Request, Action>,
): (request: Request) => Promise<HttpRateLimit> {
  const { windowMs } = limitOf(limiter.limits, action);
  return async (request) => {
    const agentId = agentOf(request);
    if (agentId === null) return { allowed: true, headers: {}, problem: null };
    const decision = await limiter.consume(action, agentId);
    const { allowed, limit, retryAfterMs } = decision;
    return {
      allowed,
      headers: rateLimitHeaders(action, windowMs, decision),
      problem: allowed
        ? null
        : {
            type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
            title: `More than ${limit} requests in ${wholeSeconds(windowMs)} s`,
            status: 429,
            'violated-policies': [action],
            code: 'rate_limited',
            retryAfterMs,
          },
    };
  };
}
