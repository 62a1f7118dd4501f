import { refuse, webSocketPath } from '@openclaw/protocol';
import type { FastifyInstance } from 'fastify';
import type { OriginPolicy } from '../edge/origin-policy.ts';
import { requestIdHeader } from '../observe/request-trace.ts';
import { sendFailure } from './errors.ts';

const preflightHeaders = {
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': `authorization, content-type, ${requestIdHeader}, traceparent, tracestate`,
  // Chromium keeps a preflight for at most this long.
  'access-control-max-age': '7200',
} as const;

const exposedHeaders = `${requestIdHeader}, retry-after, ratelimit, ratelimit-policy`;

/**
 * A page of an origin that may open a WebSocket may also use REST below /v1 (CORS). Cookies are not allowed, because
 * tokens are in a header. Preflights need no sign-in. Call this before `refuseOtherVerbs`. Otherwise that would take
 * the route `/v1/*` for a known address, and answer 405 at every unknown address below /v1.
 */
export function allowForeignPages(app: FastifyInstance, originPolicy: OriginPolicy): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!request.url.startsWith('/v1/')) return;
    reply.header('vary', 'origin');
    const { origin } = request.headers;
    if (origin === undefined) return;
    const denied = originPolicy(request.raw);
    if (denied !== null) {
      // A browser does not tell a page why its upgrade was refused. The page can learn the reason with a POST to the
      // same path.
      if (request.routeOptions.url === webSocketPath)
        return sendFailure(reply, refuse('forbidden', denied));
      return;
    }
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': exposedHeaders,
    });
  });

  app.options('/v1/*', async (request, reply) => {
    const denied = originPolicy(request.raw);
    if (denied !== null) return sendFailure(reply, refuse('forbidden', denied));
    const { origin, 'access-control-request-method': method } = request.headers;
    if (origin === undefined || method === undefined)
      return sendFailure(
        reply,
        refuse('not_found', 'OPTIONS answers preflights of web pages only'),
      );
    return reply.headers(preflightHeaders).code(204).send();
  });
}
