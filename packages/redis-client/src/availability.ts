import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import {
  closedError,
  isOutage,
  isSlotMoving,
  reasonOf,
  RedisClientError,
  type RedisClientErrorCode,
  toClientError,
  writeRefusalOf,
} from './errors.ts';
import { recoveryBeatMs, startHeartbeat } from './heartbeat.ts';
import { createListeners } from './listeners.ts';
import type { Logger } from './logger.ts';
import type { ClientSettings } from './options.ts';
import type { CommandTransport } from './transport.ts';
import { createWriteProbe } from './write-probe.ts';

/** The most calls that wait for the first connection. Further calls fail at once. */
const waitingMax = 1_000;

const breakerStates = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
  [CircuitState.HalfOpen]: 'half_open',
} as const;

/** A command, script or pipeline that was sent. `failure` is null if the call resolved. */
export interface RoundTrip {
  readonly durationMs: number;
  readonly failure: RedisClientErrorCode | null;
}

export type Availability = ReturnType<typeof createAvailability>;

/**
 * Redis is usable while the connection is up, the server accepts writes, and the breaker is closed. When several calls
 * in a row have failed because of an outage, the breaker opens. Then only the heartbeat reaches Redis. Each change is
 * emitted and logged once.
 */
export function createAvailability(
  transport: CommandTransport,
  settings: ClientSettings,
  logger: Logger,
  onRoundTrip?: (trip: RoundTrip) => void,
) {
  const { breakerFailures, connectTimeoutMs, heartbeatMs } = settings;
  const listeners = createListeners<[boolean]>((error) =>
    logger.error({ err: error }, 'a listener of Redis availability threw'),
  );
  const probe = createWriteProbe(transport, settings);
  let isAvailable = false;
  let isInDoubt = false;
  let lastLogged: boolean | undefined;
  let downSinceMs: number | null = null;
  let isClosed = false;
  let lastError = 'not connected yet';

  const breaker = circuitBreaker(
    // A pipeline does not reject; its errors are among its replies.
    handleWhen(opensBreaker).orWhenResult(
      (result) => Array.isArray(result) && result.some(opensBreaker),
    ),
    {
      halfOpenAfter: Math.ceil(recoveryBeatMs(settings) * 0.8),
      breaker: new ConsecutiveBreaker(breakerFailures),
    },
  );
  breaker.onStateChange((state) => {
    // Replaces a silent connection. The commands in its buffers must not be sent later, and the sentinels may know a
    // better server.
    if (state === CircuitState.Open && transport.ready) transport.drop();
    refresh();
  });

  const heartbeat = startHeartbeat(
    () => (isAvailable && !isInDoubt ? heartbeatMs : recoveryBeatMs(settings)),
    () => (breaker.state === CircuitState.Closed ? breakerFailures : 1),
    () =>
      breaker
        .execute(() =>
          probe.beat().catch((error: RedisClientError) => {
            // Without a connection, `lastError` stays the reason for the loss, which is more useful than this error.
            if (transport.ready) lastError = error.message;
            throw error;
          }),
        )
        .then(
          () => (isInDoubt = false),
          () => {
            isInDoubt = true;
            heartbeat.hasten();
          },
        )
        .finally(refresh)
        .then(() => undefined),
  );

  const waiters = new Set<() => void>();
  const settleWaiters = () => {
    for (const settle of [...waiters]) settle();
  };
  const firstConnection = Promise.withResolvers<void>();
  let isConnecting = true;
  let waiting = 0;
  const endFirstConnection = () => {
    isConnecting = false;
    clearTimeout(connectTimer);
    firstConnection.resolve();
  };
  const connectTimer = setTimeout(endFirstConnection, connectTimeoutMs);

  const unavailable = (reason: string) =>
    new RedisClientError('unavailable', `Redis is unavailable: ${reason}`);
  const outageReason = () => probe.refusal?.message ?? lastError;

  function change(available: boolean): void {
    if (available === isAvailable) return;
    isAvailable = available;
    if (!available && !isClosed) heartbeat.hasten();
    listeners.emit(available);
    settleWaiters();
  }

  function refresh(): void {
    if (isClosed) return;
    const isConnected = transport.ready && breaker.state === CircuitState.Closed;
    // A server that accepts no writes has outdated data.
    const isUp = isConnected && probe.takesWrites;
    const isAwaitingFirstBeat = isConnected && !probe.takesWrites && !probe.refusal;
    if (isAwaitingFirstBeat && !isAvailable) return;
    if (isUp !== lastLogged) {
      lastLogged = isUp;
      if (!isUp) {
        downSinceMs = performance.now();
        logger.warn({ reason: outageReason() }, 'Redis is unavailable');
      } else if (downSinceMs === null) {
        logger.info({}, 'Redis is available');
      } else {
        const downMs = Math.round(performance.now() - downSinceMs);
        logger.warn({ downMs }, 'Redis is available');
      }
    }
    change(isUp);
    if (isUp) endFirstConnection();
  }

  function noteError(error: RedisClientError): void {
    if (probe.noteError(error)) refresh();
  }

  async function roundTrip<T>(work: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    const report = (failure: RoundTrip['failure']) =>
      onRoundTrip?.({ durationMs: performance.now() - startMs, failure });
    try {
      const reply = await work();
      report(null);
      return reply;
    } catch (thrown) {
      const error = toClientError(thrown);
      report(error.code);
      throw error;
    }
  }

  return {
    get now() {
      return isAvailable;
    },
    get connecting() {
      return isConnecting && !isClosed;
    },
    get isClosed() {
      return isClosed;
    },
    get health() {
      const { refusal, takesWrites } = probe;
      return { breaker: breakerStates[breaker.state], refusal, takesWrites };
    },
    onChange: (listener: (available: boolean) => void) => listeners.add(listener),
    ready(): Promise<boolean> {
      if (isAvailable || isClosed) return Promise.resolve(isAvailable);
      return new Promise((resolve) => {
        const settle = () => {
          clearTimeout(timer);
          waiters.delete(settle);
          resolve(isAvailable);
        };
        const timer = setTimeout(settle, connectTimeoutMs);
        waiters.add(settle);
      });
    },
    /** Counts the call's outcome. Rejects with a {@link RedisClientError}. */
    async run<T>(work: () => Promise<T>): Promise<T> {
      if (isClosed) throw closedError();
      if (isConnecting && !isAvailable) {
        if (waiting >= waitingMax) {
          throw unavailable(`${waiting} calls wait for the first connection`);
        }
        waiting += 1;
        await firstConnection.promise;
        if (isClosed) throw closedError();
      }
      if (!isAvailable) throw unavailable(outageReason());
      try {
        return await breaker.execute(() => roundTrip(work));
      } catch (thrown) {
        const error = toClientError(thrown);
        if (isClosed && isOutage(error)) throw closedError();
        if (isOutage(error)) lastError = error.message;
        noteError(error);
        throw error;
      }
    },
    noteError,
    onReady() {
      refresh();
      heartbeat.now();
    },
    onDown() {
      lastError = 'the connection was lost';
      probe.connectionLost();
      refresh();
    },
    onError(error: Error) {
      lastError = reasonOf(error);
    },
    close() {
      isClosed = true;
      heartbeat.stop();
      change(false);
      endFirstConnection();
      settleWaiters();
    },
  };
}

function opensBreaker(error: unknown): boolean {
  if (!(error instanceof RedisClientError) || !isOutage(error) || isSlotMoving(error)) return false;
  // A current master gives these refusals, so a new connection would reach the same server.
  return !/^(OOM|MISCONF|NOREPLICAS)$/.test(`${writeRefusalOf(error)}`);
}
