import {
  idSchema,
  limits,
  operationsAgentsSchema,
  operationsSchema,
  refuse,
} from '@openclaw/protocol';
import { httpRateLimit } from '@openclaw/ratelimit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isAdminOfAll } from '../edge/identity.ts';
import type { OperationsView } from '../observe/operations.ts';
import { malformed } from '../calls/failure.ts';
import type { LimitedAction, Limiter } from '../calls/limiter.ts';
import { errorBody, sendFailure } from './errors.ts';

const responses = { '4xx': errorBody, '5xx': errorBody };
const pageQuery = z.object({
  cursor: idSchema.optional(),
  limit: z.coerce.number().int().min(1).max(limits.historyPage).default(limits.defaultPage),
});

/** Options of {@link addOperationsRoutes}. */
export interface OperationsRoutesOptions {
  readonly operations: OperationsView;
  readonly limiter: Limiter;
  /** With dev sign-in anyone may say that they are an admin, so nobody has to. */
  readonly isForAnyone: boolean;
}

/** /v1/operations: how this hub is, for admins. */
export function addOperationsRoutes(
  app: FastifyInstance,
  { operations, limiter, isForAnyone }: OperationsRoutesOptions,
): void {
  const limit = httpRateLimit<FastifyRequest, LimitedAction>(limiter, {
    action: 'read',
    agentOf: (request) => request.identity.agentId,
  });
  app.addHook('preHandler', async (request, reply) => {
    if (!isForAnyone && !isAdminOfAll(request.identity))
      return sendFailure(
        reply,
        refuse('forbidden', 'only an admin whose token is not bound to channels may see this'),
      );
    const { allowed, headers, problem } = await limit(request);
    reply.headers(headers);
    if (!allowed)
      return sendFailure(
        reply,
        refuse('rate_limited', problem?.title ?? '', problem?.retryAfterMs),
      );
  });

  app.get(
    '/operations',
    {
      schema: {
        tags: ['operations'],
        summary: 'How this hub is, and what it has done: for charts, asked once a second.',
        operationId: 'operations.get',
        response: { 200: operationsSchema, ...responses },
      },
    },
    async (_request, reply) => reply.send(await operations.snapshot()),
  );

  app.get(
    '/operations/agents',
    {
      schema: {
        tags: ['operations'],
        summary: 'Lists the agents that are connected to this hub, with their state.',
        operationId: 'operations.agents',
        querystring: pageQuery,
        response: { 200: operationsAgentsSchema, ...responses },
      },
    },
    async (request, reply) => {
      const query = pageQuery.safeParse(request.query);
      if (!query.success) {
        return sendFailure(reply, malformed('invalid_params', z.prettifyError(query.error)));
      }
      const { cursor, limit: size } = query.data;
      return reply.send(operations.agents(cursor ?? null, size));
    },
  );
}
