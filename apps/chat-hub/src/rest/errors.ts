import type { restErrorSchema } from '@openclaw/protocol';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { Failure } from '../calls/failure.ts';

/** The HTTP status of each failure. */
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
  rate_limited: 429,
  too_large: 413,
  unsupported: 422,
  unavailable: 503,
  timeout: 504,
  internal: 500,
};

type RestError = z.input<typeof restErrorSchema>['error'];

/** Sends a failure with its status, and the time to wait before the next try. */
export function sendFailure(
  reply: FastifyReply,
  failure: Failure,
  status = statusOf[failure.code],
): FastifyReply {
  const { code, message } = failure;
  reply.failure = code;
  const error: RestError = {
    // A frame that is not JSON has another code over WebSocket alone.
    code: code === 'parse_error' ? 'invalid_request' : code,
    message,
  };
  if ('retryAfterMs' in failure && failure.retryAfterMs !== undefined) {
    error.retryAfterMs = failure.retryAfterMs;
    reply.header('retry-after', Math.ceil(failure.retryAfterMs / 1000));
  }
  if ('issues' in failure && failure.issues)
    error.issues = failure.issues.map((issue) => ({
      path: issue.path.join('.'),
      message: issue.message,
    }));
  if (code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  return reply.code(status).send({ error });
}
