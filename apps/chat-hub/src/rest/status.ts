import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Readiness } from '../observe/readiness.ts';
import type { Metrics } from '../observe/metrics.ts';

const statusPaths: ReadonlySet<string | undefined> = new Set(['/healthz', '/readyz', '/metrics']);

/** True for /healthz, /readyz and /metrics, which are answered even when the hub is full. */
export function isStatus({ routeOptions }: FastifyRequest): boolean {
  return statusPaths.has(routeOptions.url);
}

/** /healthz: the process is alive. */
export function addAliveRoute(app: FastifyInstance, status: 'ok' | 'starting' = 'ok'): void {
  app.get('/healthz', async () => ({ status }));
}

/** /readyz and /metrics: for orchestrators and Prometheus. */
export function addStatusRoutes(
  app: FastifyInstance,
  readiness: Readiness,
  metrics: Metrics,
): void {
  app.get('/readyz', async (_request, reply) => {
    const report = await readiness.report();
    return reply.code(report.ready ? 200 : 503).send(report);
  });
  // No sign-in is needed, and writing metrics takes some milliseconds, so concurrent requests share the text.
  let written: Promise<string> | undefined;
  const write = () => metrics.text().finally(() => setImmediate(() => (written = undefined)));
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await (written ??= write())),
  );
}
