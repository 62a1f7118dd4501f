import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeCloseReason } from '@openclaw/protocol';
import type { Logger } from 'pino';
import { createAuthenticate } from './auth/authenticate.ts';
import { createGate } from './auth/gate.ts';
import { createClosers } from './closers.ts';
import type { Config } from './config.ts';
import { createConnectionHandler } from './connection.ts';
import { startLive } from './live/live.ts';
import type { PresenceTimes } from './live/presence-times.ts';
import type { Sessions } from './live/sessions.ts';
import { createMethods } from './methods/table.ts';
import { createMetrics } from './metrics.ts';
import { createReadiness } from './readiness.ts';
import { createDispatcher } from './rpc/dispatcher.ts';
import { createServer } from './server.ts';
import { openServices, type Services } from './services.ts';
import { createUpgradeHandler } from './upgrade.ts';

/** A hub that runs. */
export interface RunningHub {
  readonly hubId: string;
  /** `http://host:port` */
  readonly url: string;
  readonly redis: Services['redis'];
  /** Sends every client away with a slot of its own, then closes what was opened, last first. */
  close(): Promise<void>;
}

/** Within this time draining clients are told to come back, each at its own moment. */
const drainSlotsMs = 2_000;
/** How long sockets may take to close before they are cut. */
const drainCloseMs = 2_000;

/** Wires configuration, stores, features and server, and listens. Rejects when the database or the port cannot be had. */
export async function startHub(
  config: Config,
  log: Logger,
  times?: PresenceTimes,
): Promise<RunningHub> {
  const hubId = `hub-${randomUUID().slice(0, 8)}`;
  const closers = createClosers(log);
  try {
    const metrics = createMetrics();
    const services = await openServices(config, hubId, closers, log, times);
    const { hub, flusher, agentTopics } = await startLive(hubId, services, metrics, closers, log);

    const handlers = createMethods(hub);
    const dispatcher = createDispatcher({
      handlers,
      limiter: hub.limiter,
      log,
      observe(method, outcome, durationMs) {
        metrics.calls.inc({ method, outcome });
        metrics.callSeconds.observe({ method }, durationMs / 1000);
      },
    });
    const authenticate = createAuthenticate(config.auth, hub.store, log.child({ part: 'auth' }));
    const gate = createGate(config);
    const readiness = createReadiness(hubId, hub.store, services.redis);
    const { auth } = config;
    const app = await createServer({ hub, handlers, auth, authenticate, gate, readiness });

    let isDraining = false;
    app.server.on(
      'upgrade',
      createUpgradeHandler({
        authenticate,
        gate,
        busyForMs: () => (isDraining ? randomSlotMs() : null),
        onAccepted: createConnectionHandler({ hub, flusher, dispatcher, agentTopics }),
        onRefused: (status) => metrics.refusedConnections.inc({ status: String(status) }),
        log,
      }),
    );
    const url = await app.listen({ host: config.host, port: config.port });
    closers.add(() => app.close());
    closers.add(() => {
      isDraining = true;
      readiness.drain();
      return sendAway(hub.sessions);
    });
    return { hubId, url, redis: services.redis, close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function sendAway(sessions: Sessions): Promise<void> {
  if (sessions.size === 0) return;
  for (const session of sessions.all()) {
    const params = { afterMs: randomSlotMs(), reason: 'draining' };
    session.send(JSON.stringify({ jsonrpc: '2.0', method: 'reconnect', params }));
    session.close(4503, encodeCloseReason(params.afterMs));
  }
  const endMs = Date.now() + drainCloseMs;
  while (sessions.size > 0 && Date.now() < endMs) await delay(20);
  for (const session of sessions.all()) session.terminate();
}

/** When a client sent away may come back: spread, so that the next hub is not stormed. */
function randomSlotMs(): number {
  return Math.round(Math.random() * drainSlotsMs);
}
