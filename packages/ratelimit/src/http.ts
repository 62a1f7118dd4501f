import { type Decision, limitOf, type Limits } from './limit.ts';

export interface Consumer<Action extends string = string> {
  readonly limits: Limits<Action>;
  consume(action: Action, agentId: string, cost?: number): Decision | Promise<Decision>;
}

export interface HttpRateLimit {
  readonly allowed: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** The body of the 429 response; null when allowed. */
  readonly problem: RateLimitProblem | null;
}

/** A problem (RFC 9457) of the type that the RateLimit draft registers. */
export interface RateLimitProblem {
  readonly type: 'https://iana.org/assignments/http-problem-types#quota-exceeded';
  readonly title: string;
  readonly status: 429;
  readonly 'violated-policies': readonly string[];
  readonly code: 'rate_limited';
  readonly retryAfterMs: number;
}

export interface HttpRateLimitOptions<Request, Action extends string = string> {
  readonly action: Action;
  /** The agent whose limit applies; null for a request without a limit. {@link idOf} makes an id from any text. */
  readonly agentOf: (request: Request) => string | null;
  /** An integer from 1 to the limit. @default 1 */
  readonly costOf?: (request: Request) => number;
}

const wholeSeconds = (ms: number) => Math.ceil(ms / 1000);

/**
 * The header fields of draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy` (quota and window), `RateLimit`
 * (remaining requests, seconds until there are more), and `Retry-After` for a refused request. Seconds are rounded up.
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
    // With Retry-After 0 every client would retry at once.
    ...(allowed ? {} : { 'Retry-After': String(Math.max(1, wholeSeconds(retryAfterMs))) }),
  };
}

/** Each request that has a limit costs one `consume` of the limiter. */
export function httpRateLimit<Request, Action extends string>(
  limiter: Consumer<Action>,
  { action, agentOf, costOf }: HttpRateLimitOptions<Request, Action>,
): (request: Request) => Promise<HttpRateLimit> {
  const { windowMs } = limitOf(limiter.limits, action);
  return async (request) => {
    const agentId = agentOf(request);
    if (agentId === null) return { allowed: true, headers: {}, problem: null };
    const decision = await limiter.consume(action, agentId, costOf?.(request) ?? 1);
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

const problemType = 'application/problem+json';

export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/**
 * Sets the header fields and resolves with true, or answers 429 and resolves with false. Rejects if the limiter
 * rejects, and then writes nothing.
 */
export function nodeRateLimit<Request>(
  check: (request: Request) => Promise<HttpRateLimit>,
): (request: Request, response: NodeResponse) => Promise<boolean> {
  return async (request, response) => {
    const { allowed, headers, problem } = await check(request);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (allowed) return true;
    response.statusCode = 429;
    response.setHeader('Content-Type', problemType);
    response.end(JSON.stringify(problem));
    return false;
  };
}

export interface FastifyReplyLike {
  headers(values: Readonly<Record<string, string>>): unknown;
  code(status: number): unknown;
  type(contentType: string): unknown;
  send(payload: unknown): unknown;
}

/** For `onRequest`: sets the header fields, and answers 429 to a refused request. */
export function fastifyRateLimit<Request>(
  check: (request: Request) => Promise<HttpRateLimit>,
): (request: Request, reply: FastifyReplyLike) => Promise<unknown> {
  return async (request, reply) => {
    const { allowed, headers, problem } = await check(request);
    reply.headers(headers);
    if (allowed) return undefined;
    reply.code(429);
    reply.type(problemType);
    // Without the returned reply, fastify would run the route.
    reply.send(JSON.stringify(problem));
    return reply;
  };
}
