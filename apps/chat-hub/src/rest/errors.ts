import type { ErrorCode } from '@openclaw/protocol';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Refusal } from '../calls/answer.ts';

/** The HTTP status of each refusal. */
export const statusOf: Readonly<Record<ErrorCode, number>> = {
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

/** The body of every answer that is not a success. */
export const errorBody = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    retryAfterMs: z.number().optional(),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  }),
});

/** Sends a refusal with its status, and when to try again. */
export function sendRefusal(
  reply: FastifyReply,
  { code, message, retryAfterMs }: Refusal,
): FastifyReply {
  if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
  if (code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  return reply
    .code(statusOf[code])
    .send({ error: { code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) } });
}
