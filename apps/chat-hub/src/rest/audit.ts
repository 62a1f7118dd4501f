import type { ChatStore } from '@openclaw/chat-store';
import { limits, type RestOperation } from '@openclaw/protocol';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { refuseNonAdmin } from '../edge/identity.ts';
import { refuseParams, sendFailure } from './errors.ts';
import { storable, wholeNumber } from './query.ts';

const filter = storable.min(1).max(128).optional();
const auditQuery = z.object({
  actor: filter,
  action: filter,
  target: filter,
  cursor: filter,
  limit: wholeNumber(limits.historyPage).default(limits.defaultPage),
});
const auditPage = z.object({
  entries: z.array(
    z.object({
      id: z.string(),
      at: z.int(),
      actor: z.string(),
      action: z.string(),
      target: z.string().nullable(),
      details: z.record(z.string(), z.unknown()),
      via: z.enum(['ws', 'rest', 'command']),
      address: z.string().nullable(),
      requestId: z.string().nullable(),
      hubId: z.string().nullable(),
    }),
  ),
  nextCursor: z.string().nullable(),
});

export const auditOperations: readonly RestOperation[] = [
  {
    operationId: 'audit.list',
    tag: 'audit',
    summary:
      'Lists administrative acts of all hubs, newest first, for admins: who did what, to whom, and from where.',
    route: { verb: 'GET', path: '/audit' },
    params: auditQuery,
    result: auditPage,
  },
];

export function addAuditRoutes(
  app: FastifyInstance,
  { store }: { readonly store: Pick<ChatStore, 'readAudit'> },
): void {
  app.get('/audit', async (request, reply) => {
    const refusal = refuseNonAdmin(request.identity, 'read the audit log');
    if (refusal) return sendFailure(reply, refusal);
    const query = auditQuery.safeParse(request.query);
    if (!query.success) return refuseParams(reply, query.error);
    const { entries, nextCursor } = await store.readAudit(query.data);
    return reply.send({
      entries: entries.map(({ atMs: at, ...rest }) => ({ at, ...rest })),
      nextCursor,
    });
  });
}
