import type { IncomingHttpHeaders } from 'node:http';
import type { ChatStore } from '@openclaw/chat-store';
import { isMethodName, limits, refuse, webSocketPath, type Refusal } from '@openclaw/protocol';
import fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { FailedSignIns } from '../edge/failed-sign-ins.ts';
import type { HostPolicy, OriginPolicy } from '../edge/origin-policy.ts';
import type { PathPrefix } from '../edge/public-url.ts';
import {
  AuthError,
  credentialsOf,
  isFailedSignIn,
  type Authenticate,
  type Identity,
} from '../edge/identity.ts';
import type { RemoteAddress } from '../edge/remote-address.ts';
import { callsOf, type CallAllowance } from '../calls/call-allowance.ts';
import { malformed, refusalOfError, tooManyCalls } from '../calls/failure.ts';
import type { CallObserver, Invoke, Limiter } from '../calls/invoke.ts';
import type { AuthConfig } from '../config.ts';
import type { ConnectionCap } from '../edge/connection-cap.ts';
import type { OperationsView } from '../observe/operations.ts';
import type { Fleet } from '../observe/fleet.ts';
import type { OperationsHistory } from '../observe/operations-history.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Readiness } from '../observe/readiness.ts';
import { requestIdHeader, traceOf } from '../observe/request-trace.ts';
import type { OnSignIn } from '../observe/sign-ins.ts';
import type { Writer } from '../channels/writer.ts';
import { addCallRoutes } from './call-routes.ts';
import { allowForeignPages } from './foreign-pages.ts';
import { acceptJsonBodies, unreadableText } from './json-bodies.ts';
import { addDocuments, specifications } from './openapi.ts';
import { refuseOtherVerbs, sendFailure } from './errors.ts';
import { addOperationsRoutes } from './operations.ts';
import { serverOptions } from './server-options.ts';
import type { KnownAgents } from '../edge/known-agents.ts';
import type { Audit } from '../observe/audit.ts';
import { addAuditRoutes } from './audit.ts';
import { addTokenRoutes } from './tokens.ts';
import { addWebPage } from './web-page.ts';

const maxOpsConnections = 64;
const statusPaths: ReadonlySet<string | undefined> = new Set(['/healthz', '/readyz', '/metrics']);

export interface ServerDeps {
  readonly invoke: Invoke;
  readonly allowance: CallAllowance;
  readonly observe: CallObserver;
  readonly limiter: Limiter;
  readonly store: ChatStore;
  readonly knownAgents: KnownAgents;
  readonly writer: Pick<Writer, 'refuseFrozen'>;
  readonly audit: Audit;
  readonly auth: AuthConfig;
  readonly authenticate: Authenticate;
  readonly hostPolicy: HostPolicy;
  readonly originPolicy: OriginPolicy;
  readonly pathPrefix: PathPrefix;
  readonly remoteAddress: RemoteAddress;
  readonly failedSignIns: FailedSignIns;
  readonly onSignIn: OnSignIn;
  readonly cap: ConnectionCap;
  readonly hasOpsPort: boolean;
  readonly readiness: Readiness;
  readonly operations: OperationsView;
  readonly history: OperationsHistory;
  readonly fleet: Fleet;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly webDir: string;
}

export async function createServer(deps: ServerDeps): Promise<FastifyInstance> {
  const { auth, cap, hostPolicy, originPolicy, pathPrefix, log, metrics, webDir } = deps;
  const app = fastify({
    ...serverOptions,
    bodyLimit: limits.frameBytes,
    rewriteUrl: ({ url = '/' }) => pathPrefix.strip(url),
    http: {
      ...serverOptions.http,
      // Some clients offer HTTP/2 (h2c) with every request; the server may ignore the offer.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    routerOptions: { maxParamLength: 256 },
  });
  cap.watch(app.server);
  setErrorHandlers(app, log);
  app.decorateRequest('identity');
  app.decorateRequest('isInvoked', false);
  app.decorateRequest('trace');
  app.decorateReply('failure', null);
  acceptJsonBodies(app);
  app.addHook('onRequest', async (request, reply) => {
    request.trace = traceOf(request.headers);
    reply.headers({
      [requestIdHeader]: request.trace.requestId,
      'x-content-type-options': 'nosniff',
    });
  });
  allowForeignPages(app, originPolicy);
  const refuseVerbs = refuseOtherVerbs(app);
  app.addHook('onRequest', async (request, reply) => {
    const surplusMs = cap.surplusMs(request.raw.socket);
    if (surplusMs === null) return;
    reply.header('connection', 'close');
    if (!isStatus(request))
      return sendFailure(reply, refuse('unavailable', 'the hub is full', surplusMs));
  });

  app.addHook('onResponse', async (request, reply) => {
    if (!log.isLevelEnabled('debug')) return;
    const { method, routeOptions, trace } = request;
    const durationMs = Math.round(reply.elapsedTime);
    const about = { method, route: routeOptions.url, status: reply.statusCode, durationMs };
    log.debug({ ...about, ...trace }, 'a request was answered');
  });

  await app.register(async (v1) => addApi(v1, deps), { prefix: '/v1' });
  addAliveRoute(app);
  if (!deps.hasOpsPort) addStatusRoutes(app, deps.readiness, metrics);
  addDocuments(app, specifications(auth));
  app.get(webSocketPath, (_request, reply) => {
    const failure = malformed('invalid_request', 'this address takes WebSocket upgrades only');
    return sendFailure(
      reply.headers({ upgrade: 'websocket', connection: 'upgrade' }),
      failure,
      426,
    );
  });
  refuseVerbs();
  await addWebPage(app, { directory: webDir, hostPolicy, pathPrefix, log });
  return app;
}

/** Everything below /v1 needs a sign-in and counts against the agent's allowance. */
async function addApi(v1: FastifyInstance, deps: ServerDeps): Promise<void> {
  const { auth, originPolicy, remoteAddress, failedSignIns, authenticate, allowance, metrics } =
    deps;
  const { operations, history, fleet, limiter, onSignIn } = deps;
  v1.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const denied = originPolicy(request.raw);
    if (denied !== null) return sendFailure(reply, refuse('forbidden', denied));
    const address = remoteAddress(request.raw);
    const credentials = credentialsOf(request);
    const blockedForMs = failedSignIns.blockedForMs(address, credentials);
    const { trace } = request;
    const signedIn = (failure: unknown) => onSignIn({ transport: 'rest', address, trace, failure });
    if (blockedForMs !== null) {
      signedIn('blocked');
      return sendFailure(
        reply,
        refuse('rate_limited', 'too many failed sign-ins from this address', blockedForMs),
      );
    }
    try {
      request.identity = { ...(await authenticate(credentials)), address };
      signedIn(null);
      failedSignIns.recordSuccess(credentials);
    } catch (error) {
      signedIn(error);
      if (isFailedSignIn(error)) failedSignIns.recordFailure(address, credentials);
      return sendFailure(reply, refusalOfSignIn(error));
    }
    const { agentId } = request.identity;
    const overAllowanceMs = allowance.count(agentId, callsOf(bodyBytes(request.headers)));
    if (overAllowanceMs === null) return;
    metrics.limited.inc({ action: 'calls' });
    return sendFailure(reply, tooManyCalls(overAllowanceMs));
  });
  // Counts calls that ended before they were invoked: refused by the hook above, or unreadable.
  v1.addHook('onResponse', async (request, reply) => {
    const { rpcMethod: method } = request.routeOptions.config;
    if (method === undefined || request.isInvoked || reply.failure === null) return;
    // The identity is absent when the sign-in failed.
    const identity = request.identity as Identity | undefined;
    const name = isMethodName(method) ? method : 'unknown';
    deps.observe(name, 'rest', reply.failure, null, identity?.agentId ?? null);
  });
  addCallRoutes(v1, deps);
  const settings = auth.mode === 'jwt' ? auth : null;
  await v1.register(async (tokens) => addTokenRoutes(tokens, deps, settings));
  addAuditRoutes(v1, deps);
  const isForAnyone = auth.mode === 'dev';
  await v1.register(async (scope) =>
    addOperationsRoutes(scope, { operations, history, fleet, limiter, isForAnyone }),
  );
}

export function createOpsServer(
  readiness: Readiness,
  metrics: Metrics,
  log: Logger,
): FastifyInstance {
  const app = fastify(serverOptions);
  app.server.maxConnections = maxOpsConnections;
  setErrorHandlers(app, log);
  addAliveRoute(app);
  addStatusRoutes(app, readiness, metrics);
  return app;
}

/**
 * Holds the public port while the hub starts. Answers the liveness check and, without an ops port, /readyz and
 * /metrics. Refuses everything else.
 */
export function createStartingServer({
  readiness,
  metrics,
  log,
  hasOpsPort,
}: Pick<ServerDeps, 'readiness' | 'metrics' | 'log' | 'hasOpsPort'>): FastifyInstance {
  const app = fastify(serverOptions);
  app.server.maxConnections = maxOpsConnections;
  setErrorHandlers(app, log, refuse('unavailable', 'the hub is starting', 1_000));
  addAliveRoute(app, 'starting');
  if (!hasOpsPort) addStatusRoutes(app, readiness, metrics);
  return app;
}

function refusalOfSignIn(error: unknown): Refusal {
  if (!(error instanceof AuthError)) return refusalOfError(error);
  const { code, message, retryAfterMs } = error;
  if (code === 'unavailable') return refuse('unavailable', message, 1_000);
  if (code === 'barred') return refuse('rate_limited', message, retryAfterMs);
  return refuse('unauthorized', message);
}

/** A body without a declared length counts as the largest that is allowed. */
function bodyBytes(headers: IncomingHttpHeaders): number {
  if (headers['transfer-encoding'] !== undefined) return limits.frameBytes;
  return Math.min(limits.frameBytes, Number(headers['content-length'] ?? 0));
}

function setErrorHandlers(
  app: FastifyInstance,
  log: Logger,
  nothingThere = refuse('not_found', 'there is nothing at this address'),
): void {
  app.setNotFoundHandler((_request, reply) => sendFailure(reply, nothingThere));
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 413) return sendFailure(reply, refuse('too_large', 'the body is too large'));
    if (status < 500)
      return sendFailure(reply, malformed('invalid_request', unreadableText(error)), status);
    const { method, routeOptions, trace } = request;
    log.error({ err: error, method, route: routeOptions.url, ...trace }, 'a request failed');
    return sendFailure(reply, refusalOfError(error));
  });
}

/** True for routes that are answered even when the hub is full. */
function isStatus({ routeOptions }: FastifyRequest): boolean {
  return statusPaths.has(routeOptions.url);
}

function addAliveRoute(app: FastifyInstance, status: 'ok' | 'starting' = 'ok'): void {
  app.get('/healthz', async () => ({ status }));
}

export function addStatusRoutes(
  app: FastifyInstance,
  readiness: Readiness,
  metrics: Metrics,
): void {
  app.get('/readyz', async (_request, reply) => {
    const report = await readiness.report();
    return reply.code(report.ready ? 200 : 503).send(report);
  });
  // Concurrent requests share the text, because no sign-in is needed and writing it takes some milliseconds.
  let written: Promise<string> | undefined;
  const write = () => metrics.text().finally(() => setImmediate(() => (written = undefined)));
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await (written ??= write())),
  );
}
