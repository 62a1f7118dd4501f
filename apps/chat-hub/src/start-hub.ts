import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { admissionDefaults, createAdmission, type AdmissionOptions } from './admission.ts';
import { createAuthenticate } from './auth/authenticate.ts';
import { createGate } from './auth/gate.ts';
import { createClosers } from './closers.ts';
import type { Config } from './config.ts';
import { createConnectionHandler } from './connection.ts';
import { drainLengthMs, drainSessions } from './drain.ts';
import { startLive, type MemoryBudgets } from './live/live.ts';
import type { PresenceTimes } from './live/presence-times.ts';
import { createMethods } from './methods/table.ts';
import { RecentLatency } from './live/recent-latency.ts';
import { createMetrics } from './metrics.ts';
import { createOperations } from './operations.ts';
import { createReadiness } from './readiness.ts';
import { createDispatcher } from './rpc/dispatcher.ts';
import { createServer } from './server.ts';
import { openServices, type Services } from './services.ts';
import { createUpgradeHandler } from './upgrade.ts';
import { builtPageDir } from './web-page.ts';

/** A hub that runs. */
export interface RunningHub {
  readonly hubId: string;
  /** `http://host:port` */
  readonly url: string;
  readonly redis: Services['redis'];
  /** Sends every client away at a moment of its own, then closes what was opened, last first. */
  close(): Promise<void>;
}

/** What is not for the environment to say. */
export interface StartOptions {
  /** How fast clients are let in, and sent away at the end. @default admissionDefaults */
  readonly admission?: AdmissionOptions;
  /** How long leases last and how often rosters are compared. @default the hub's own */
  readonly times?: PresenceTimes;
  /** How much memory unsent output and the newest events may take. @default the hub's own */
  readonly budgets?: MemoryBudgets;
}

/** Wires configuration, stores, features and server, and listens. Rejects when the database or the port cannot be had. */
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
    const { hub, flusher, agentTopics, selfProbe, traffic } = live;
    const acks = new RecentLatency();

    const handlers = createMethods(hub);
    const dispatcher = createDispatcher({
      handlers,
      limiter: hub.limiter,
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
    const authenticate = createAuthenticate(config.auth, hub.store, log.child({ part: 'auth' }));
    const gate = createGate(config);
    const readiness = createReadiness({
      ...{ hubId, store: hub.store, redis: services.redis },
      publishPath: () => selfProbe.path,
    });
    const operations = createOperations({
      ...{ hub, redis: services.redis, flusher, traffic, selfProbe, acks },
    });
    const { auth } = config;
    const app = await createServer({
      ...{ hub, handlers, auth, authenticate, gate, readiness, operations },
      webDir: config.webDir ?? builtPageDir,
    });

    const admission = createAdmission(pace);
    metrics.observe(
      'hub_admission_places',
      'Places kept for clients that were told when to come back',
      () => admission.kept,
    );
    let drainEndMs: number | null = null;
    app.server.on(
      'upgrade',
      createUpgradeHandler({
        authenticate,
        gate,
        admission: {
          ask(name) {
            const answer = admission.ask(name);
            metrics.admissions.inc({ outcome: answer.afterMs === null ? 'admitted' : 'deferred' });
            return answer;
          },
        },
        busyForMs: () => (drainEndMs === null ? null : slotWithinMs(drainEndMs - Date.now())),
        onAccepted: createConnectionHandler({ hub, flusher, dispatcher, agentTopics }),
        onRefused: (status) => metrics.refusedConnections.inc({ status: String(status) }),
        log,
      }),
    );
    const url = await app.listen({ host: config.host, port: config.port });
    closers.add(() => app.close());
    closers.add(() => {
      drainEndMs = Date.now() + drainLengthMs(hub.sessions.size, pace);
      readiness.drain();
      return drainSessions(hub.sessions, pace);
    });
    return { hubId, url, redis: services.redis, close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

/** When a client may try again that came while the hub drains: spread, and not all at once after the end. */
function slotWithinMs(leftMs: number): number {
  return Math.round(Math.random() * Math.max(1_000, leftMs));
}
