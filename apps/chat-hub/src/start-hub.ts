import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeCloseReason } from '@openclaw/protocol';
import type { Logger } from 'pino';
import { admissionDefaults, createAdmission, type AdmissionOptions } from './edge/admission.ts';
import { createAgentOrders } from './edge/agent-orders.ts';
import { createAuthenticate } from './edge/authenticate.ts';
import { createFailedSignIns } from './edge/failed-sign-ins.ts';
import { createHostPolicy, createOriginPolicy } from './edge/origin-policy.ts';
import { createPathPrefix } from './edge/public-url.ts';
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
import { jwtWarning } from './jwt-settings.ts';
import { createConnectionHandler } from './sockets/connection.ts';
import { drainLengthMs, drainSessions } from './sockets/drain.ts';
import { startLive, type MemoryBudgets } from './live.ts';
import type { PresenceTimes } from './presence/roster-watch.ts';
import { createHandlers } from './methods/handlers.ts';
import { createInvoke } from './calls/invoke.ts';
import { observeLive } from './observe/gauges.ts';
import { createMetrics, type Metrics } from './observe/metrics.ts';
import { createFleet } from './observe/fleet.ts';
import type { AgentTimes } from './agent-times.ts';
import { createOperations } from './observe/operations.ts';
import { startOperationsHistory } from './observe/operations-history.ts';
import { describeConfig } from './observe/describe-config.ts';
import { createPeerCertificates } from './observe/peer-certificates.ts';
import { createReadiness, createStartReadiness, type Readiness } from './observe/readiness.ts';
import { createDatabaseState, serviceObservers } from './observe/service-reports.ts';
import { countRefusals } from './observe/traffic.ts';
import { version } from './observe/version.ts';
import { createSignInObserver } from './observe/sign-ins.ts';
import { createDispatcher } from './calls/dispatcher.ts';
import { createOpsServer, createServer, createStartingServer } from './rest/server.ts';
import { openStore } from './open-store.ts';
import { startOwnOutageWatch } from './recovery/own-outage.ts';
import { createPublicPort } from './public-port.ts';
import { openServices, storeDeps, type Services } from './services.ts';
import { createUpgradeHandler } from './edge/upgrade.ts';
import { builtPageDir } from './rest/web-page.ts';
import { createTracing } from './tracing/create-tracing.ts';
import { untraced } from './tracing/tracing.ts';

/** A drain takes at least this long, so that the clients of a hub with few sockets do not all reconnect at once. */
const minDrainMs = 1_000;

export interface RunningHub {
  readonly hubId: string;
  readonly url: string;
  readonly opsUrl: string | null;
  readonly redis: Services['redis'];
  readonly log: Logger;
  /** Drains the clients, each at its own time. Then closes all parts, in the reverse order of their start. */
  close(): Promise<void>;
}

/** No environment variable sets these options; tests and benchmarks use them. */
export interface StartOptions {
  /** The rate of admissions, and of the drain at the end. @default admissionDefaults */
  readonly admission?: AdmissionOptions;
  readonly times?: PresenceTimes;
  readonly agentTimes?: Partial<AgentTimes>;
  readonly budgets?: MemoryBudgets;
  readonly sweepEveryMs?: number;
  /** The length of a minute in the operations history. @default 60_000 */
  readonly minuteMs?: number;
}

/** Rejects when the port is not available, or when the database does not answer within `startTimeoutMs`. */
export async function startHub(
  config: Config,
  logger: Logger,
  {
    admission: pace = admissionDefaults,
    times,
    agentTimes,
    budgets,
    sweepEveryMs,
    minuteMs,
  }: StartOptions = {},
): Promise<RunningHub> {
  const hubId = `hub-${randomUUID().slice(0, 8)}`;
  const log = logger.child({ hubId });
  const closers = createClosers(log);
  try {
    log.info({ version, node: process.version, config: describeConfig(config) }, 'the hub starts');
    if (config.unknownNames.length > 0)
      log.warn(
        { names: config.unknownNames },
        'the hub does not know these variables and ignores them',
      );
    const warning = config.auth.mode === 'jwt' ? jwtWarning(config.auth) : null;
    if (warning !== null) log.warn(warning);
    const metrics = createMetrics();
    const database = createDatabaseState({ metrics, log });
    const certificates = createPeerCertificates();
    const observers = { ...serviceObservers(metrics, database), certificates };
    const readiness = createStartReadiness(hubId);
    metrics.read('hub_build_info', () => 1);
    metrics.read('hub_certificate_expiry_timestamp_seconds', (peer) =>
      certificates.earliestSeconds(peer),
    );
    metrics.read('hub_state', (state) => (readiness.state === state ? 1 : 0));
    const opsUrl = await listenForOps(config, readiness, metrics, closers, log);
    const hasOpsPort = config.opsPort !== null;
    const publicPort = createPublicPort(config, () =>
      createStartingServer({ readiness, metrics, log, hasOpsPort }),
    );
    closers.add(() => publicPort.release());
    const giveUp = new AbortController();
    closers.add(() => giveUp.abort());
    const opening = openStore(
      { ...config, sweepEveryMs },
      storeDeps(log, observers),
      log,
      giveUp.signal,
    );
    const store = closers.opened(await publicPort.during(opening));
    const allTimes = { times, agentTimes };
    const opened = await openServices(store, config, hubId, closers, log, observers, allTimes);
    const tracing = config.isTraced ? await createTracing(opened, hubId, closers, log) : untraced;
    const ownOutage = closers.opened(startOwnOutageWatch({ ...opened, hubId, database, log }));
    const services = { ...opened, bus: tracing.bus(opened.bus), tracing, ownOutage };
    const live = await startLive(hubId, services, metrics, closers, log, database, budgets);
    observeLive(metrics, { services, live, database });
    const agentOrders = closers.opened(
      await createAgentOrders({ store, sessions: live.sessions, log }),
    );
    const limiter = countRefusals(services.limiter, metrics, agentOrders.limiters);
    const { sessions, unsent, slices, redisState, traffic, selfProbe, logWaits, inboxWaits } = live;

    const allowance = createCallAllowance({
      ...(config.callLimit ?? defaultCallLimit(limiter.limits)),
      onBarred(agentId, forMs) {
        log.warn(
          { agentId, forMs },
          'an agent exceeds HUB_LIMIT_CALLS five times over: its sockets are closed',
        );
        metrics.barredAgents.inc();
        const reason = encodeCloseReason(forMs);
        for (const session of sessions.ofAgent(agentId)) session.expel(4429, reason);
      },
    });
    const onLimited = () => metrics.limited.inc({ action: 'calls' });
    const handlers = createHandlers({
      ...live,
      store,
      limiter,
      agentOrders,
      log,
      cache: services.cache,
      onResume: (isResumed) => metrics.resumes.inc({ resumed: String(isResumed) }),
      onDiscontinuity: (reason) => metrics.discontinuities.inc({ reason }),
    });
    const observe = traffic.called;
    const invoke = tracing.invoke(
      createInvoke({
        ...{ handlers, limiter, onLimited, observe, unsent, slices, logWaits, inboxWaits, log },
        onAdminCall({ identity, transport, trace }, method, params) {
          const requestId = trace?.requestId ?? null;
          live.audit.called({ identity, transport, requestId }, method, params);
          live.observed.called({ identity, transport, requestId }, method, params);
        },
      }),
    );
    const dispatcher = tracing.dispatcher(
      createDispatcher({ invoke, allowance, onLimited, observe, unsent }),
    );
    const authenticate = createAuthenticate(config.auth, {
      store,
      barredForMs: (agentId) => allowance.barredForMs(agentId),
      adminsObservePrivate: config.adminsObservePrivate,
      onVerified(identity) {
        live.knownAgents.seen(identity);
        live.tokenUses.accepted(identity);
      },
      onRevoked: (identity) => live.tokenUses.refused(identity),
      log: log.child({ part: 'auth' }),
    });
    const signIn = {
      authenticate,
      originPolicy: createOriginPolicy(config),
      pathPrefix: createPathPrefix(config.publicUrl),
      remoteAddress: createRemoteAddress(config.trustedProxies),
      failedSignIns: createFailedSignIns(),
      onSignIn: createSignInObserver(metrics, log),
    };
    const cap = createCap(config, pace, metrics, log);
    const operations = createOperations({ ...live, hubId, store, metrics, redis: redisState });
    const history = closers.opened(
      startOperationsHistory({ operations, store, hubId, log, minuteMs }),
    );
    live.latestFigures.read = history.latest;
    const app = await createServer({
      ...live,
      ...signIn,
      hostPolicy: createHostPolicy(config),
      invoke,
      allowance,
      observe,
      limiter,
      store,
      auth: config.auth,
      cap,
      hasOpsPort,
      readiness,
      operations,
      history,
      fleet: createFleet({
        ...{ store, agentOrders, frozen: live.freezes.frozen },
        showsLabels: config.adminsObservePrivate,
      }),
      metrics,
      log,
      webDir: config.webDir ?? builtPageDir,
    });

    const admission = createAdmission(pace);
    metrics.read('hub_admission_places', () => admission.reserved);
    let drainEndMs: number | null = null;
    app.server.on(
      'upgrade',
      createUpgradeHandler({
        ...signIn,
        admission: {
          admit(name) {
            const answer = admission.admit(name);
            metrics.admissions.inc({ outcome: answer.afterMs === null ? 'admitted' : 'deferred' });
            return answer;
          },
        },
        fullForMs: (socket) =>
          drainEndMs === null ? cap.surplusMs(socket) : slotWithinMs(drainEndMs - Date.now()),
        // A refused socket stays open until its peer has read the close code, so the number of these sockets needs a
        // limit.
        maxClosing: Math.min(4_096, 4 * cap.surplus),
        onAccepted: tracing.accepted(
          createConnectionHandler({ ...live, store, dispatcher, allowance, metrics, log }),
        ),
        onRefused: (status) => metrics.refusedConnections.inc({ status: String(status) }),
        log,
      }),
    );
    readiness.started(
      createReadiness({
        hubId,
        store,
        database,
        ownOutage,
        redis: redisState,
        publishPath: () => selfProbe.path,
      }),
    );
    const url = await app.listen({ host: config.host, port: await publicPort.release() });
    closers.add(() => app.close());
    closers.add(async () => {
      readiness.drain();
      // The balancer sends new clients until it notices the drain. They are served as usual.
      await delay(config.drainDelayMs);
      await Promise.all([logWaits.drain(), inboxWaits.drain()]);
      const { drainMs: maxMs } = config;
      const drain = { perSecond: pace.perSecond, maxMs, minMs: Math.min(minDrainMs, maxMs) };
      drainEndMs = Date.now() + drainLengthMs(sessions.size, drain);
      await drainSessions(sessions, drain);
    });
    return { hubId, url, opsUrl, redis: services.redis, log, close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

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
  metrics.read('hub_connections', () => cap.open);
  metrics.read('hub_connections_limit', () => cap.limit);
  metrics.read('hub_dropped_connections_total', () => cap.dropped);
  return cap;
}

/** Serves readiness and metrics until everything else is closed. Returns the URL, or null if `opsPort` is null. */
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

/** Random, so that clients that connect during the drain do not return all at once. */
function slotWithinMs(leftMs: number): number {
  return Math.round(Math.random() * Math.max(1_000, leftMs));
}
