import type { Socket } from 'node:net';
import type { restErrorSchema } from '@openclaw/protocol';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { z } from 'zod';
import { malformed, type Failure } from '../calls/failure.ts';
import { endWithResponse } from '../edge/upgrade-refusal.ts';

export const statusOf: Readonly<Record<Failure['code'], number>> = {
  parse_error: 400,
  invalid_request: 400,
  invalid_params: 400,
  method_not_found: 404,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  archived: 409,
  frozen: 403,
  paused: 409,
  superseded: 409,
  rate_limited: 429,
  too_large: 413,
  unsupported: 422,
  unavailable: 503,
  timeout: 504,
  internal: 500,
};

type RestError = z.input<typeof restErrorSchema>['error'];

export function sendFailure(
  reply: FastifyReply,
  failure: Failure,
  status = statusOf[failure.code],
): FastifyReply {
  const { code, message } = failure;
  reply.failure = code;
  const error: RestError = {
    // Only WebSocket has a separate code for text that is not JSON.
    code: code === 'parse_error' ? 'invalid_request' : code,
    message,
    ...('details' in failure ? failure.details : undefined),
  };
  if ('retryAfterMs' in failure && failure.retryAfterMs !== undefined) {
    error.retryAfterMs = failure.retryAfterMs;
    reply.header('retry-after', Math.ceil(failure.retryAfterMs / 1000));
  }
  if ('issues' in failure && failure.issues)
    error.issues = failure.issues.map((issue) => ({
      path: [...issue.path],
      message: issue.message,
    }));
  if (code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  return reply.code(status).send({ error });
}

export function refuseParams(reply: FastifyReply, { issues }: z.ZodError): FastifyReply {
  const reasons = issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean));
  return sendFailure(
    reply,
    malformed('invalid_params', reasons.map((reason) => reason.join(': ')).join('; ')),
  );
}

/** Call the returned function after all routes are added. From then on, a verb that a URL does not have gets a 405. */
export function refuseOtherVerbs(app: FastifyInstance): () => void {
  const verbsOf = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const verbs = verbsOf.get(url) ?? new Set();
    verbsOf.set(url, verbs);
    for (const verb of [method].flat()) verbs.add(verb);
  });
  return () => {
    for (const [url, allowed] of [...verbsOf]) {
      const allow = [...allowed].join(', ');
      const refuse = async (_request: unknown, reply: FastifyReply) =>
        sendFailure(
          reply.header('allow', allow),
          malformed('invalid_request', `this address answers ${allow} only`),
          405,
        );
      const method = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((verb) => !allowed.has(verb));
      // With `onRequest`, the refusal comes before the body is read.
      app.route({ method, url, onRequest: refuse, handler: refuse });
    }
  };
}

/** The keys are Node's error codes; every other code gets a 400. */
const answers: ReadonlyMap<string | undefined, readonly [status: number, message: string]> =
  new Map([
    ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'the request did not come in time']],
    ['HPE_HEADER_OVERFLOW', [431, 'the headers of the request are too large']],
  ]);

export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = answers.get(error.code) ?? [400, 'this is not an HTTP request'];
  endWithResponse(socket, status, { code: 'invalid_request', message });
}
