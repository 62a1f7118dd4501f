import { buildOpenRpc } from '@openclaw/protocol';
import type { FastifyInstance } from 'fastify';
import type { Readiness } from '../readiness.ts';
import type { Metrics } from '../metrics.ts';

/** /healthz, /readyz, /metrics: for orchestrators and Prometheus. */
export function addStatusRoutes(
  app: FastifyInstance,
  readiness: Readiness,
  metrics: Metrics,
): void {
  app.get('/healthz', { schema: { hide: true } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const report = await readiness.report();
    return reply.code(report.ready ? 200 : 503).send(report);
  });
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}

/** /v1/openrpc.json and /v1/openapi.json: the specifications, generated from the schemas. */
export function addSpecificationRoutes(app: FastifyInstance): void {
  const openRpc = JSON.stringify(buildOpenRpc());
  const asJson = { schema: { hide: true } };
  app.get('/v1/openrpc.json', asJson, async (_request, reply) =>
    reply.type('application/json').send(openRpc),
  );
  app.get('/v1/openapi.json', asJson, async () => app.swagger());
}
