import { randomUUID } from 'node:crypto';
import { encodeCloseReason } from '@openclaw/protocol';
import type { Logger } from 'pino';
import { admissionDefaults, createAdmission, type AdmissionOptions } from './edge/admission.ts';
import { createAuthenticate } from './edge/authenticate.ts';
import { createFailedSignIns } from './edge/failed-sign-ins.ts';
import { createOriginPolicy } from './edge/origin-policy.ts';
import {
  connectionLimits,
  createConnectionCap,
  openFilesLimit,
  type ConnectionCap,
} from './edge/connection-cap.ts';
import { createRemoteAddress } from './edge/remote-address.ts';
import { createCallAllowance, defaultCallLimit } from './calls/call-allowance.ts';
import { createClosers, type Closers } from './closers.ts';
import type { Config } from './config.ts';
import { createConnectionHandler } from './sockets/connection.ts';
import { drainLengthMs, drainSessions } from './sockets/drain.ts';
import { startLive, type MemoryBudgets } from './live.ts';
import type { PresenceTimes } from './presence/presence-times.ts';
import { createMethods } from './methods/table.ts';
import { RecentLatency } from './observe/recent-latency.ts';
import { createMetrics, type Metrics } from './observe/metrics.ts';
import { createOperations } from './observe/operations.ts';
import { createReadiness, type Readiness } from './observe/readiness.ts';
import { createDispatcher } from './calls/dispatcher.ts';
import { createOpsServer, createServer } from './rest/server.ts';
import { openServices, type Services } from './services.ts';
import { createUpgradeHandler } from './edge/upgrade.ts';
import { builtPageDir } from './rest/web-page.ts';

/** A running hub. */
export interface RunningHub {
  readonly hubId: string;
  /** `http://host:port` */
  readonly url: string;
  /** The address of readiness and metrics, when they have a port of their own. */
  readonly opsUrl: string | null;
  readonly redis: Services['redis'];
  /** Drains: sends each client away in its own slot. Then closes everything that was opened, in reverse order. */
  close(): Promise<void>;
}

/** Settings that the environment does not have. */
export interface StartOptions {
  /** The rate at which clients are admitted, and sent away at the end. @default admissionDefaults */
  readonly admission?: AdmissionOptions;
  /** How long leases last and how often rosters are compared. @default the hub's own */
  readonly times?: PresenceTimes;
  /** How much memory unsent output and the newest events may take. @default the hub's own */
  readonly budgets?: MemoryBudgets;
}

/** Wires configuration, stores, features and server, and listens. Rejects when the database or the port is not available. */
export async function startHub(
  config: Config,
  log: Logger,
  { admission: pace = admissionDefaults, times, budgets }: StartOptions = {},
): Promise<RunningHub> {
  const hubId = `hub-${randomUUID().slice(0, 8)}`;
  const closers = createClosers(log);
  try {
    const metrics = createMetrics();
    const services = await openServices(config, hubId, closers, log, times);
    const live = await startLive(hubId, services, metrics, closers, log, budgets);
    const { hub, flusher, agentTopics, directHeads, selfProbe, redisState, traffic } = live;
    const acks = new RecentLatency();

    const calls = createCallAllowance({
      ...(config.callLimit ?? defaultCallLimit(hub.limiter.limits)),
      onBarred(agentId, forMs) {
        log.warn(
          { agentId, forMs },
          'an agent calls over five times HUB_LIMIT_CALLS: its sockets are closed',
        );
        metrics.barredAgents.inc();
        const reason = encodeCloseReason(forMs);
        for (const session of hub.sessions.ofAgent(agentId)) session.expel(4429, reason);
      },
    });
    const handlers = createMethods(hub);
    const dispatcher = createDispatcher({
      handlers,
      limiter: hub.limiter,
      calls,
      onLimited: () => metrics.limitedCalls.inc(),
      log,
      unsent: hub.unsent,
      slices: hub.slices,
      observe(method, outcome, durationMs) {
        metrics.calls.inc({ method, outcome });
        metrics.callSeconds.observe({ method }, durationMs / 1000);
        if (outcome === 'ok' && (method === 'message.send' || method === 'direct.send'))
          acks.record(durationMs);
      },
    });
    const authenticate = createAuthenticate(config.auth, {
      store: hub.store,
      barredForMs: (agentId) => calls.barredForMs(agentId),
      log: log.child({ part: 'auth' }),
    });
    const originPolicy = createOriginPolicy(config);
    const remoteAddress = createRemoteAddress(config.trustedProxies);
    const failedSignIns = createFailedSignIns({ onFailed: () => metrics.failedSignIns.inc() });
    const cap = createCap(config, pace, metrics, log);
    const readiness = createReadiness({
      ...{ hubId, store: hub.store, redis: redisState },
      publishPath: () => selfProbe.path,
    });
    const operations = createOperations({
      ...{ hub, redis: redisState, flusher, traffic, selfProbe, acks },
    });
    const { auth } = config;
    const app = await createServer({
      ...{ hub, handlers, auth, authenticate, originPolicy, readiness, operations },
      ...{ remoteAddress, failedSignIns, calls, cap, hasOpsPort: config.opsPort !== null },
      webDir: config.webDir ?? builtPageDir,
    });

    const admission = createAdmission(pace);
    metrics.observe(
      'hub_admission_places',
      'Slots reserved for clients that were told when to come back',
      () => admission.reserved,
    );
    let drainEndMs: number | null = null;
    app.server.on(
      'upgrade',
      createUpgradeHandler({
        authenticate,
        ...{ originPolicy, remoteAddress, failedSignIns },
        admission: {
          admit(name) {
            const answer = admission.admit(name);
            metrics.admissions.inc({ outcome: answer.afterMs === null ? 'admitted' : 'deferred' });
            return answer;
          },
        },
        fullForMs: (socket) =>
          drainEndMs === null ? cap.surplusMs(socket) : slotWithinMs(drainEndMs - Date.now()),
        // Refused sockets stay open until they have read their close code: this bounds their number.
        maxClosing: Math.min(4_096, 4 * cap.surplus),
        onAccepted: createConnectionHandler({
          ...{ hub, flusher, dispatcher, agentTopics, directHeads, calls },
        }),
        onRefused: (status) => metrics.refusedConnections.inc({ status: String(status) }),
        log,
      }),
    );
    const opsUrl = await listenForOps(config, readiness, metrics, closers, log);
    const url = await app.listen({ host: config.host, port: config.port });
    closers.add(() => app.close());
    closers.add(() => {
      drainEndMs = Date.now() + drainLengthMs(hub.sessions.size, pace);
      readiness.drain();
      return drainSessions(hub.sessions, pace);
    });
    return { hubId, url, opsUrl, redis: services.redis, close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

/** The limit on connections, as far as open files allow it, with its metrics. */
function createCap(
  { maxConnections }: Config,
  { perSecond }: AdmissionOptions,
  metrics: Metrics,
  log: Logger,
): ConnectionCap {
  const limits = connectionLimits(openFilesLimit(), maxConnections);
  if (maxConnections !== null && limits.served < maxConnections) {
    log.warn(
      { HUB_MAX_CONNECTIONS: maxConnections, served: limits.served },
      'the limit on open files (ulimit -n) allows fewer connections than HUB_MAX_CONNECTIONS',
    );
  }
  const cap = createConnectionCap({ ...limits, perSecond });
  metrics.observe('hub_connections', 'Open connections, WebSocket and HTTP', () => cap.open);
  metrics.observe(
    'hub_connections_limit',
    'Connections that are served; further clients are told when to come back',
    () => cap.limit,
  );
  metrics.observe(
    'hub_dropped_connections_total',
    'Connections dropped without an answer, because the surplus was used up too',
    () => cap.dropped,
  );
  return cap;
}

/** Answers readiness and metrics on their own port, if one is set, until the hub has closed everything else. */
async function listenForOps(
  { host, opsPort }: Config,
  readiness: Readiness,
  metrics: Metrics,
  closers: Closers,
  log: Logger,
): Promise<string | null> {
  if (opsPort === null) return null;
  const app = createOpsServer(readiness, metrics, log);
  closers.add(() => app.close());
  return app.listen({ host, port: opsPort });
}

/** The retry time of a client that came during the drain: spread over its length, so that they do not return at once. */
function slotWithinMs(leftMs: number): number {
  return Math.round(Math.random() * Math.max(1_000, leftMs));
}
