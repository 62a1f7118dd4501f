import swagger from '@fastify/swagger';
import { limits } from '@openclaw/protocol';
import fastify, { type FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { AuthError, credentialsOf, type Authenticate } from './auth/identity.ts';
import type { Hub } from './hub.ts';
import type { Readiness } from './readiness.ts';
import { addMirroredRoutes } from './rest/mirror.ts';
import { sendRefusal } from './rest/errors.ts';
import { addSpecificationRoutes, addStatusRoutes } from './rest/status.ts';
import { addTokenRoutes } from './rest/tokens.ts';
import { refuse, type Handlers } from './rpc/answer.ts';
import { refusalOfError } from './rpc/dispatcher.ts';

export interface ServerDeps {
  readonly hub: Hub;
  readonly handlers: Handlers;
  readonly authenticate: Authenticate;
  readonly readiness: Readiness;
  /** The HS256 secret that /v1/tokens mints with, or null. */
  readonly secret: string | null;
}

/** The HTTP side: REST, health, metrics, specifications. Upgrades are added by main.ts. */
export async function createServer({
  hub,
  handlers,
  authenticate,
  readiness,
  secret,
}: ServerDeps): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: limits.frameBytes,
    requestTimeout: 10_000,
    keepAliveTimeout: 30_000,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 256 },
  });
  // The method's own schema validates each request (rest/mirror.ts); these would only do it again.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  setErrorHandlers(app, hub.log);
  app.decorateRequest('identity');

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'OpenClaw chat hub',
        version: '1',
        description: 'What a script needs of the hub, as resources.',
      },
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
  });
  await app.register(
    async (v1) => {
      v1.addHook('onRequest', async (request, reply) => {
        try {
          request.identity = await authenticate(credentialsOf(request));
        } catch (error) {
          if (error instanceof AuthError)
            return sendRefusal(reply, refuse('unauthorized', error.message));
          return sendRefusal(reply, refusalOfError(error));
        }
      });
      addMirroredRoutes(v1, handlers, hub.limiter, hub.log);
      await v1.register(async (tokens) => addTokenRoutes(tokens, hub.store, secret));
    },
    { prefix: '/v1' },
  );
  addStatusRoutes(app, readiness, hub.metrics);
  addSpecificationRoutes(app);
  return app;
}

function setErrorHandlers(app: FastifyInstance, log: Logger): void {
  app.setNotFoundHandler((_request, reply) =>
    sendRefusal(reply, refuse('not_found', 'there is nothing at this address')),
  );
  app.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 413) return sendRefusal(reply, refuse('too_large', 'the body is too large'));
    if (status < 500)
      return reply
        .code(status)
        .send({ error: { code: 'invalid_request', message: error.message } });
    log.error({ err: error }, 'a request failed');
    return sendRefusal(reply, refusalOfError(error));
  });
}
