import {
  idSchema,
  limits,
  operationsAgentSchema,
  operationsAgentsSchema,
  operationsFleetSchema,
  operationsSchema,
  refuse,
  type RestOperation,
} from '@openclaw/protocol';
import { httpRateLimit } from '@openclaw/ratelimit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { refuseNonAdmin } from '../edge/identity.ts';
import type { OperationsView } from '../observe/operations.ts';
import type { Fleet } from '../observe/fleet.ts';
import type { OperationsHistory } from '../observe/operations-history.ts';
import type { LimitedAction, Limiter } from '../calls/invoke.ts';
import { refuseParams, sendFailure } from './errors.ts';
import { wholeNumber } from './query.ts';

const pageQuery = z.object({
  cursor: idSchema.optional(),
  limit: z.coerce.number().int().min(1).max(limits.historyPage).default(limits.defaultPage),
});

const agentParams = z.object({ agentId: idSchema });

const snapshotQuery = z.object({
  since: wholeNumber(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Adds the history from this time on, epoch ms.'),
});

export const operationsOperations: readonly RestOperation[] = [
  {
    operationId: 'operations.get',
    tag: 'operations',
    summary:
      'The state and counters of this hub: for charts, read once a second. With `since`, also the history of all hubs by the minute.',
    route: { verb: 'GET', path: '/operations' },
    params: snapshotQuery,
    result: operationsSchema,
  },
  {
    operationId: 'operations.agents',
    tag: 'operations',
    summary: 'Lists the agents that are connected to this hub, with their state.',
    route: { verb: 'GET', path: '/operations/agents' },
    params: pageQuery,
    result: operationsAgentsSchema,
  },
  {
    operationId: 'operations.fleet',
    tag: 'operations',
    summary:
      'Lists the agents and services of all hubs, without persons, that are connected or were seen within a day, with what they do.',
    route: { verb: 'GET', path: '/operations/fleet' },
    params: pageQuery,
    result: operationsFleetSchema,
  },
  {
    operationId: 'operations.agent',
    tag: 'operations',
    summary: 'One agent of any kind, as in the fleet, with its last messages.',
    route: { verb: 'GET', path: '/operations/fleet/:agentId' },
    params: agentParams,
    result: operationsAgentSchema,
  },
];

export function addOperationsRoutes(
  app: FastifyInstance,
  {
    operations,
    history,
    fleet,
    limiter,
    isForAnyone,
  }: {
    readonly operations: OperationsView;
    readonly history: Pick<OperationsHistory, 'read'>;
    readonly fleet: Fleet;
    readonly limiter: Limiter;
    /** True with dev sign-in, where anyone may claim to be an admin. */
    readonly isForAnyone: boolean;
  },
): void {
  const limit = httpRateLimit<FastifyRequest, LimitedAction>(limiter, {
    action: 'read',
    agentOf: (request) => request.identity.agentId,
  });
  app.addHook('preHandler', async (request, reply) => {
    const refusal = isForAnyone ? null : refuseNonAdmin(request.identity, 'see this');
    if (refusal) return sendFailure(reply, refusal);
    const { allowed, headers, problem } = await limit(request);
    reply.headers(headers);
    if (!allowed)
      return sendFailure(
        reply,
        refuse('rate_limited', problem?.title ?? '', problem?.retryAfterMs),
      );
  });

  app.get('/operations', async (request, reply) => {
    const query = snapshotQuery.safeParse(request.query);
    if (!query.success) return refuseParams(reply, query.error);
    const { since } = query.data;
    const snapshot = await operations.snapshot();
    if (since === undefined) return reply.send(snapshot);
    return reply.send({ ...snapshot, history: await history.read(since) });
  });

  app.get('/operations/agents', async (request, reply) => {
    const query = pageQuery.safeParse(request.query);
    if (!query.success) return refuseParams(reply, query.error);
    const { cursor, limit: size } = query.data;
    return reply.send(operations.agents(cursor ?? null, size));
  });

  app.get('/operations/fleet', async (request, reply) => {
    const query = pageQuery.safeParse(request.query);
    if (!query.success) return refuseParams(reply, query.error);
    const { cursor, limit: size } = query.data;
    return reply.send(await fleet.page(cursor ?? null, size));
  });

  app.get('/operations/fleet/:agentId', async (request, reply) => {
    const params = agentParams.safeParse(request.params);
    if (!params.success) return refuseParams(reply, params.error);
    const { agentId } = params.data;
    const found = await fleet.agent(agentId);
    if (found === null)
      return sendFailure(reply, refuse('not_found', `there is no agent ${agentId}`));
    return reply.send(found);
  });
}
