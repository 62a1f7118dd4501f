import type { IncomingHttpHeaders } from 'node:http';
import swagger from '@fastify/swagger';
import { limits } from '@openclaw/protocol';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Logger } from 'pino';
import type { FailedSignIns } from '../edge/failed-sign-ins.ts';
import type { OriginPolicy } from '../edge/origin-policy.ts';
import { AuthError, credentialsOf, isFailedSignIn, type Authenticate } from '../edge/identity.ts';
import type { RemoteAddress } from '../edge/remote-address.ts';
import { callsOf, type CallAllowance } from '../calls/call-allowance.ts';
import type { AuthConfig } from '../config.ts';
import type { ConnectionCap } from '../edge/connection-cap.ts';
import type { Hub } from '../methods/hub.ts';
import type { OperationsView } from '../observe/operations.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Readiness } from '../observe/readiness.ts';
import { addMirroredRoutes } from './mirror.ts';
import { openApiOptions } from './openapi.ts';
import { sendRefusal } from './errors.ts';
import { acceptJsonBodies } from './json-body.ts';
import { addOperationsRoutes } from './operations.ts';
import { addAliveRoute, addSpecificationRoutes, addStatusRoutes, isStatus } from './status.ts';
import { addTokenRoutes } from './tokens.ts';
import { refuseUnreadable } from './unreadable.ts';
import { refuse, type Handlers, type Refusal } from '../calls/answer.ts';
import { refusalOfError, tooManyCalls } from '../calls/dispatcher.ts';
import { addWebPage } from './web-page.ts';

/** Options of both servers: nobody keeps a socket by sending drop by drop, or by not reading its answer. */
const serverOptions = {
  http: { headersTimeout: 5_000, connectionsCheckingInterval: 1_000, maxHeaderSize: 16 * 1024 },
  requestTimeout: 10_000,
  connectionTimeout: 30_000,
  keepAliveTimeout: 30_000,
  forceCloseConnections: true,
  clientErrorHandler: refuseUnreadable,
  // The default answers repeat the address, and with it a token that stands there.
  frameworkErrors(error: FastifyError, _request: FastifyRequest, reply: FastifyReply) {
    void sendInvalid(reply, error.statusCode ?? 400, 'this is no address of the hub');
  },
};
/** The most connections of orchestrators and scrapers at a time. */
const maxOpsConnections = 64;

export interface ServerDeps {
  readonly hub: Hub;
  readonly handlers: Handlers;
  readonly auth: AuthConfig;
  readonly authenticate: Authenticate;
  readonly originPolicy: OriginPolicy;
  readonly remoteAddress: RemoteAddress;
  readonly failedSignIns: FailedSignIns;
  readonly calls: CallAllowance;
  readonly cap: ConnectionCap;
  /** True when readiness and metrics have a port of their own. */
  readonly hasOpsPort: boolean;
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
  originPolicy,
  remoteAddress,
  failedSignIns,
  calls,
  cap,
  hasOpsPort,
  readiness,
  operations,
  webDir,
}: ServerDeps): Promise<FastifyInstance> {
  const app = fastify({
    ...serverOptions,
    bodyLimit: limits.frameBytes,
    http: {
      ...serverOptions.http,
      // Some clients offer HTTP/2 (h2c) with every request: an offer that is not taken up is no upgrade.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    routerOptions: { maxParamLength: 256 },
  });
  cap.watch(app.server);
  // The method's own schema validates each request (rest/mirror.ts); these would only do it again.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  setErrorHandlers(app, hub.log);
  app.decorateRequest('identity');
  acceptJsonBodies(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    const surplusMs = cap.surplusMs(request.raw.socket);
    if (surplusMs === null) return;
    // So that its place is free again as soon as it has its answer.
    reply.header('connection', 'close');
    if (!isStatus(request))
      return sendRefusal(reply, refuse('unavailable', 'the hub is full', surplusMs));
  });

  await app.register(swagger, openApiOptions(auth));
  await app.register(
    async (v1) => {
      v1.addHook('onRequest', async (request, reply) => {
        reply.header('cache-control', 'no-store');
        const denied = originPolicy(request.headers);
        if (denied !== null) return sendRefusal(reply, refuse('forbidden', denied));
        const address = remoteAddress(request.raw);
        const credentials = credentialsOf(request);
        const blockedForMs = failedSignIns.blockedForMs(address, credentials);
        if (blockedForMs !== null)
          return sendRefusal(
            reply,
            refuse('rate_limited', 'too many failed sign-ins from this address', blockedForMs),
          );
        try {
          request.identity = await authenticate(credentials);
          failedSignIns.recordSuccess(credentials);
        } catch (error) {
          if (isFailedSignIn(error)) failedSignIns.recordFailure(address, credentials);
          return sendRefusal(reply, refusalOfSignIn(error));
        }
        const afterMs = calls.count(request.identity.agentId, callsOf(bodyBytes(request.headers)));
        if (afterMs === null) return;
        hub.metrics.limitedCalls.inc();
        return sendRefusal(reply, tooManyCalls(afterMs));
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
  addAliveRoute(app);
  if (!hasOpsPort) addStatusRoutes(app, readiness, hub.metrics);
  addSpecificationRoutes(app);
  await addWebPage(app, { directory: webDir, originPolicy, log: hub.log });
  return app;
}

/** The server of the operations port: whether this hub is alive and ready, and its metrics. */
export function createOpsServer(
  readiness: Readiness,
  metrics: Metrics,
  log: Logger,
): FastifyInstance {
  const app = fastify(serverOptions);
  app.server.maxConnections = maxOpsConnections;
  app.setSerializerCompiler(() => JSON.stringify);
  setErrorHandlers(app, log);
  addAliveRoute(app);
  addStatusRoutes(app, readiness, metrics);
  return app;
}

function refusalOfSignIn(error: unknown): Refusal {
  if (!(error instanceof AuthError)) return refusalOfError(error);
  const { code, message, retryAfterMs } = error;
  if (code === 'unavailable') return refuse('unavailable', message, 1_000);
  if (code === 'barred') return refuse('rate_limited', message, retryAfterMs);
  return refuse('unauthorized', message);
}

/** The size of a request's body; a body without a declared length is taken for the largest allowed. */
function bodyBytes(headers: IncomingHttpHeaders): number {
  if (headers['transfer-encoding'] !== undefined) return limits.frameBytes;
  return Math.min(limits.frameBytes, Number(headers['content-length'] ?? 0));
}

function setErrorHandlers(app: FastifyInstance, log: Logger): void {
  app.setNotFoundHandler((_request, reply) =>
    sendRefusal(reply, refuse('not_found', 'there is nothing at this address')),
  );
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 413) return sendRefusal(reply, refuse('too_large', 'the body is too large'));
    if (status < 500) return sendInvalid(reply, status, unreadableText(error));
    log.error({ err: error }, 'a request failed');
    return sendRefusal(reply, refusalOfError(error));
  });
}

function sendInvalid(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ error: { code: 'invalid_request', message } });
}

/** Describes a bad request in our own words: those of libraries may name what a client must not learn. */
function unreadableText({ statusCode }: FastifyError): string {
  if (statusCode === 415) return 'the body must be application/json';
  if (statusCode === 400) return 'the body must be JSON in UTF-8';
  return 'the request cannot be answered';
}
