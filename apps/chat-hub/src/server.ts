import swagger from '@fastify/swagger';
import { limits } from '@openclaw/protocol';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import type { Gate } from './auth/gate.ts';
import { AuthError, credentialsOf, type Authenticate } from './auth/identity.ts';
import type { AuthConfig } from './config.ts';
import type { Hub } from './hub.ts';
import type { OperationsView } from './operations.ts';
import type { Readiness } from './readiness.ts';
import { addMirroredRoutes } from './rest/mirror.ts';
import { openApiOptions } from './rest/openapi.ts';
import { sendRefusal } from './rest/errors.ts';
import { acceptJsonBodies } from './rest/json-body.ts';
import { addOperationsRoutes } from './rest/operations.ts';
import { addSpecificationRoutes, addStatusRoutes } from './rest/status.ts';
import { addTokenRoutes } from './rest/tokens.ts';
import { refuseUnreadable } from './rest/unreadable.ts';
import { refuse, type Handlers, type Refusal } from './rpc/answer.ts';
import { refusalOfError } from './rpc/dispatcher.ts';
import { addWebPage } from './web-page.ts';

export interface ServerDeps {
  readonly hub: Hub;
  readonly handlers: Handlers;
  readonly auth: AuthConfig;
  readonly authenticate: Authenticate;
  readonly gate: Gate;
  readonly readiness: Readiness;
  readonly operations: OperationsView;
  /** Where the built page for people is. */
  readonly webDir: string;
}

/** The HTTP side: REST, health, metrics, specifications, the page for people. Upgrades are added by start-hub.ts. */
export async function createServer({
  hub,
  handlers,
  auth,
  authenticate,
  gate,
  readiness,
  operations,
  webDir,
}: ServerDeps): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: limits.frameBytes,
    // Nobody keeps a socket by sending a request drop by drop, or by not reading its answer.
    http: {
      headersTimeout: 5_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16 * 1024,
      // Some clients offer HTTP/2 (h2c) with every request: an offer that is not taken up is no upgrade.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    requestTimeout: 10_000,
    connectionTimeout: 30_000,
    keepAliveTimeout: 30_000,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 256 },
    clientErrorHandler: refuseUnreadable,
    // The default answers repeat the address, and with it a token that stands there.
    frameworkErrors(error, _request, reply) {
      void sendInvalid(reply, error.statusCode ?? 400, 'this is no address of the hub');
    },
  });
  // The method's own schema validates each request (rest/mirror.ts); these would only do it again.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  setErrorHandlers(app, hub.log);
  app.decorateRequest('identity');
  acceptJsonBodies(app);
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
  });

  await app.register(swagger, openApiOptions(auth));
  await app.register(
    async (v1) => {
      v1.addHook('onRequest', async (request, reply) => {
        reply.header('cache-control', 'no-store');
        const barred = gate(request.headers);
        if (barred !== null) return sendRefusal(reply, refuse('forbidden', barred));
        try {
          request.identity = await authenticate(credentialsOf(request));
        } catch (error) {
          return sendRefusal(reply, refusalOfSignIn(error));
        }
      });
      addMirroredRoutes(v1, handlers, hub);
      const secret = auth.mode === 'jwt' ? auth.secret : null;
      await v1.register(async (tokens) => addTokenRoutes(tokens, hub.store, secret));
      await v1.register(async (scope) =>
        addOperationsRoutes(scope, {
          ...{ operations, limiter: hub.limiter, isForAnyone: auth.mode === 'dev' },
        }),
      );
    },
    { prefix: '/v1' },
  );
  addStatusRoutes(app, readiness, hub.metrics);
  addSpecificationRoutes(app);
  await addWebPage(app, { directory: webDir, gate, log: hub.log });
  return app;
}

function refusalOfSignIn(error: unknown): Refusal {
  if (!(error instanceof AuthError)) return refusalOfError(error);
  return error.code === 'unavailable'
    ? refuse('unavailable', error.message, 1_000)
    : refuse('unauthorized', error.message);
}

function setErrorHandlers(app: FastifyInstance, log: Logger): void {
  app.setNotFoundHandler((_request, reply) =>
    sendRefusal(reply, refuse('not_found', 'there is nothing at this address')),
  );
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 413) return sendRefusal(reply, refuse('too_large', 'the body is too large'));
    if (status < 500) return sendInvalid(reply, status, error.message);
    log.error({ err: error }, 'a request failed');
    return sendRefusal(reply, refusalOfError(error));
  });
}

function sendInvalid(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ error: { code: 'invalid_request', message } });
}
