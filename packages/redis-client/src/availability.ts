import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import {
  closedError,
  isOutage,
  isSlotMoving,
  RedisClientError,
  type RedisClientErrorCode,
  toClientError,
  type WriteRefusal,
  writeRefusalOf,
} from './errors.ts';
import { startHeartbeat, untilAnswered, within } from './heartbeat.ts';
import { createListeners } from './listeners.ts';
import type { Logger } from './logger.ts';
import type { ClientSettings } from './options.ts';
import type { CommandTransport } from './transport.ts';

/** The most calls that wait for the first connection. Further calls fail at once. */
const waitingMax = 1_000;

const breakerStates = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
  [CircuitState.HalfOpen]: 'half_open',
} as const;

/** One command, one script or a whole pipeline that was sent. `failure` is null when Redis answered. */
export interface RoundTrip {
  readonly durationMs: number;
  readonly failure: RedisClientErrorCode | null;
}

export type Availability = ReturnType<typeof createAvailability>;

/**
 * Decides whether Redis is usable: the connection is up, the heartbeat finds that the server accepts writes, and the
 * breaker is closed. The breaker opens after several outages without a success between them. While it is open, only the
 * heartbeat reaches Redis. Each change is emitted and logged once. It starts as unavailable, without a log line.
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
  const probe = createProbe(transport, settings);
  let isAvailable = false;
  let lastLogged: boolean | undefined;
  /** The time of the last line about an outage; null before the first. */
  let downSinceMs: number | null = null;
  let isClosed = false;
  let lastError = 'not connected yet';

  const breaker = circuitBreaker(
    // A pipeline does not reject; its errors are among its replies.
    handleWhen(opensBreaker).orWhenResult(
      (result) => Array.isArray(result) && result.some(opensBreaker),
    ),
    {
      halfOpenAfter: Math.ceil(heartbeatMs * 0.8),
      breaker: new ConsecutiveBreaker(breakerFailures),
    },
  );
  breaker.onStateChange((state) => {
    // A connection that does not answer is replaced. Commands in its buffers must not be sent later, and the sentinels
    // may know a better server.
    if (state === CircuitState.Open && transport.ready) transport.drop();
    refresh();
  });

  const heartbeat = startHeartbeat(
    heartbeatMs,
    () => (breaker.state === CircuitState.Closed ? breakerFailures : 1),
    () =>
      breaker
        .execute(() =>
          probe.beat().catch((error: RedisClientError) => {
            // Without a connection, the reason for its loss is the more useful message.
            if (transport.ready) lastError = error.message;
            throw error;
          }),
        )
        .finally(refresh),
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
    listeners.emit(available);
    settleWaiters();
  }

  function refresh(): void {
    if (isClosed) return;
    const isConnected = transport.ready && breaker.state === CircuitState.Closed;
    // A server that accepts no writes counts as away, because its data is outdated.
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

  /** Checks whether the error of a call is a write refusal. */
  function noteError(error: unknown): void {
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
    /** Runs a call while Redis is available, and counts its outcome. Rejects with a {@link RedisClientError}. */
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
      // A host with several addresses fails with an AggregateError, whose message is empty.
      lastError = error.message || ('code' in error ? String(error.code) : error.name);
    },
    /** Becomes unavailable without a log line. */
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
  if (!isOutage(error) || isSlotMoving(error)) return false;
  // A server that refuses writes still answers, so a new connection would not help.
  return !/^(OOM|MISCONF|NOREPLICAS)$/.test(`${writeRefusalOf(error)}`);
}

/**
 * A script that is declared to write. This is enough for a server to refuse it for lack of memory, disk or replicas. It
 * touches no key, so it runs on every master of a Cluster.
 */
const writeProbe = ['eval', '#!lua\nreturn 1', 0] as const;

/**
 * The heartbeat of the command connection. A beat is a PING and a script that Redis refuses when it refuses writes. If
 * an ACL denies scripts, the beat reads the role after a READONLY, because a demoted master still answers PING. After a
 * refused write, the server is used again only after `breakerFailures` good beats in a row. Otherwise the availability
 * of a server at its memory limit would change with each call.
 */
function createProbe(
  transport: CommandTransport,
  { heartbeatTimeoutMs, breakerFailures }: ClientSettings,
) {
  let refusal: { readonly kind: WriteRefusal; readonly message: string } | null = null;
  let isKnown = false;
  /** False when an ACL denies the script. A refused write then affects only its own call. */
  let canProbe = false;
  let goodBeats = 0;
  const silent = () =>
    new RedisClientError('timeout', `Redis did not answer a PING within ${heartbeatTimeoutMs} ms`);

  async function checkRole(): Promise<void> {
    const answers = await transport.callEach(['info', 'replication']).catch(() => []);
    if (answers.some((info) => /^role:slave/m.test(String(info)))) {
      throw new RedisClientError('unavailable', 'READONLY: this server is a replica');
    }
  }

  function refused(error: RedisClientError, kind: WriteRefusal): void {
    goodBeats = 0;
    refusal = { kind, message: error.message };
  }

  async function probeWrites(): Promise<void> {
    const error = await transport
      .callEach(writeProbe)
      .then(() => null)
      .catch(toClientError);
    const kind = writeRefusalOf(error);
    // If the server does not answer, the PING reports it.
    if (kind === null && isOutage(error)) return;
    canProbe = error === null || kind !== null;
    isKnown = true;
    if (error && kind) return refused(error, kind);
    goodBeats += 1;
    // A demoted master refuses all writes consistently, so one good beat is enough.
    if (refusal?.kind === 'READONLY' ? canProbe : goodBeats >= breakerFailures) refusal = null;
  }

  return {
    /** True when the last beat and all later calls found that the server accepts writes. */
    get takesWrites() {
      return isKnown && refusal === null;
    },
    /** The error by which Redis refused writes; null when it accepts them or when that is not known. */
    get refusal() {
      return refusal;
    },
    /** Rejects with an outage when no master answers. */
    async beat(): Promise<void> {
      if (!transport.ready) throw new RedisClientError('unavailable', 'Redis is not connected');
      try {
        const ping = untilAnswered(transport.callEach(['ping']));
        await within(Promise.all([ping, probeWrites()]), heartbeatTimeoutMs, silent);
        if (refusal?.kind !== 'READONLY') return;
        if (canProbe) throw new RedisClientError('unavailable', refusal.message);
        await within(checkRole(), heartbeatTimeoutMs, silent);
        refusal = null;
      } catch (error) {
        throw toClientError(error);
      }
    },
    /** It is not known whether the next connection accepts writes. */
    connectionLost() {
      isKnown = false;
    },
    /** Returns true when the error of a call shows that the server accepts no writes. */
    noteError(error: unknown): boolean {
      const kind = writeRefusalOf(error);
      if (kind === null || !(kind === 'READONLY' || canProbe)) return false;
      refused(error as RedisClientError, kind);
      return true;
    },
  };
}
