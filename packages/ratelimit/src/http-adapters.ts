import type { HttpRateLimit } from './http.ts';

const problemType = 'application/problem+json';

/** The part of node:http's ServerResponse that {@link nodeRateLimit} uses. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/**
 * For node:http: sets the header fields and resolves with true, or answers 429 and resolves with false. If the check
 * rejects, this rejects too and has written nothing.
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

/** The part of fastify's Reply that {@link fastifyRateLimit} uses. */
export interface FastifyReplyLike {
  headers(values: Readonly<Record<string, string>>): unknown;
  code(status: number): unknown;
  type(contentType: string): unknown;
  send(payload: unknown): unknown;
}

/** A hook for fastify's `onRequest`: sets the header fields, and answers 429 to a refused request. */
export function fastifyRateLimit<Request>(
  check: (request: Request) => Promise<HttpRateLimit>,
): (request: Request, reply: FastifyReplyLike) => Promise<unknown> {
  return async (request, reply) => {
    const { allowed, headers, problem } = await check(request);
    reply.headers(headers);
    if (allowed) return undefined;
    reply.code(429);
    reply.type(problemType);
    // Without the reply as its result, fastify would go on to the route.
    reply.send(JSON.stringify(problem));
    return reply;
  };
}
