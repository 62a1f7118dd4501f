import { createAvailability } from './availability.ts';
import { createBreaker } from './breaker.ts';
import { runPipeline, runScript, type ScriptCall } from './commands.ts';
import { isOutage, RedisClientError, toClientError } from './errors.ts';
import { createFirstConnection } from './first-connection.ts';
import { readHealth, type RedisHealth } from './health.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type Logger, silentLogger } from './logger.ts';
import { openTransports } from './open-transports.ts';
import { type RedisClientOptions, resolveSettings } from './options.ts';
import { createProbe } from './probe.ts';
import { createSubscriber, type RedisSubscriber } from './subscriber.ts';
import type { CommandTransport, RedisCommand, RedisReply } from './transport.ts';

/**
 * A client of one Redis: a connection for commands, another for subscriptions, and a circuit breaker.
 * Every call ends within its timeout. While Redis is away, calls fail at once with `unavailable` and nothing is queued.
 * Only the calls made before the first connection wait for it (see {@link RedisClient.connecting}).
 */
export interface RedisClient {
  /**
   * False while the command connection is down, the breaker is open, or Redis takes no writes (its memory is full, it
   * cannot save, it lacks replicas, it is a replica). Calls then fail without being sent.
   */
  readonly available: boolean;
  /** Listens to each change of {@link RedisClient.available}. The returned function removes the listener. */
  onAvailability(listener: (available: boolean) => void): () => void;
  /**
   * True from the creation to the first connection, for `connectTimeoutMs` at most. Up to 1,000 calls wait for this
   * connection, and then for their own timeout. More calls, and all calls if it does not come, fail with `unavailable`.
   */
  readonly connecting: boolean;
  /** Resolves with true once Redis is available, or with false after `connectTimeoutMs` or when closed. Never rejects. */
  ready(): Promise<boolean>;
  /** Sends one command. @throws {RedisClientError} `unavailable`, `timeout`, `rejected`, `closed` */
  send(command: RedisCommand): Promise<RedisReply>;
  /** Runs a script by EVALSHA. A server that does not know it costs one more round trip. Errors as `send`. */
  run(call: ScriptCall): Promise<RedisReply>;
  /**
   * Sends all calls in order, in one round trip (per node on Cluster). Each place of the result holds a reply or the
   * {@link RedisClientError} of its call. Scripts that the server does not know run in a second round trip, after the
   * other calls. Rejects only if nothing was sent.
   */
  pipeline(calls: readonly (RedisCommand | ScriptCall)[]): Promise<RedisReply[]>;
  /** Subscriptions, on a connection of their own. */
  readonly subscriber: RedisSubscriber;
  /** Asks the server for its state (PING and INFO). Never rejects: a server that is away has `status: 'down'`. */
  health(): Promise<RedisHealth>;
  /** Ends both connections, except borrowed ones. All calls reject with `closed`. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects to Redis, and reconnects until closed. Does not wait for the connection.
 * @throws {RedisClientError} `invalid_options`
 */
export function createRedisClient(
  options: RedisClientOptions,
  { logger = silentLogger }: { readonly logger?: Logger } = {},
): RedisClient {
  const settings = resolveSettings(options);
  let isClosed = false;
  let lastError = 'not connected yet';

  const availability = createAvailability(logger);
  const refresh = () => {
    if (isClosed) return;
    // A server that takes no writes counts as away, because its data is outdated.
    const isUp = transport.ready && breaker.state === 'closed' && probe.takesWrites;
    if (!isUp && !availability.now && isAwaitingFirstBeat()) return;
    availability.set(isUp, outageReason());
    if (isUp) firstConnection.end();
  };
  /** True for a new connection whose first heartbeat is not answered yet. */
  const isAwaitingFirstBeat = () =>
    transport.ready && breaker.state === 'closed' && !probe.takesWrites && !probe.refusal;
  const outageReason = () => probe.refusal?.message ?? lastError;
  const firstConnection = createFirstConnection(settings.connectTimeoutMs);
  const readyWaiters = new Set<() => void>();
  const breaker = createBreaker(
    { failures: settings.breakerFailures, halfOpenAfterMs: Math.ceil(settings.heartbeatMs * 0.8) },
    (state) => {
      // A silent connection is replaced. Commands in its buffers must not be sent later, and the sentinels may know a
      // better server.
      if (state === 'open' && transport.ready) transport.drop();
      refresh();
    },
  );
  const { mode, transport, openSubscriber } = openTransports(options, settings, {
    onReady() {
      refresh();
      heartbeat.now();
    },
    onDown() {
      lastError = 'the connection was lost';
      probe.connectionLost();
      refresh();
    },
    onError(error) {
      // A host with several addresses fails with an AggregateError, whose message is empty.
      lastError = error.message || ('code' in error ? String(error.code) : error.name);
    },
  });
  const probe = createProbe(transport, settings);
  const heartbeat = startHeartbeat({
    everyMs: settings.heartbeatMs,
    concurrent: () => (breaker.state === 'closed' ? settings.breakerFailures : 1),
    beat: () =>
      breaker
        .execute(() =>
          probe.beat().catch((error: RedisClientError) => {
            // Without a connection, the reason for its loss is the better message.
            if (transport.ready) lastError = error.message;
            throw error;
          }),
        )
        .finally(refresh),
  });
  const subscriber = createSubscriber({ open: openSubscriber, logger, settings });

  function noteError(error: unknown): void {
    if (probe.noticeError(error)) refresh();
  }

  const closedError = () => new RedisClientError('closed', 'the Redis client is closed');

  async function guarded<T>(work: (commands: CommandTransport) => Promise<T>): Promise<T> {
    if (isClosed) throw closedError();
    if (firstConnection.isAwaited && !availability.now) await firstConnection.wait();
    if (isClosed) throw closedError();
    if (!availability.now) {
      throw new RedisClientError('unavailable', `Redis is unavailable: ${outageReason()}`);
    }
    try {
      return await breaker.execute(() =>
        work(transport).catch((error: unknown) => {
          throw toClientError(error);
        }),
      );
    } catch (thrown) {
      const error = toClientError(thrown);
      if (isClosed && isOutage(error)) throw closedError();
      if (isOutage(error)) lastError = error.message;
      noteError(error);
      throw error;
    }
  }

  return {
    get available() {
      return availability.now;
    },
    onAvailability: (listener) => availability.onChange(listener),
    get connecting() {
      return firstConnection.isAwaited && !isClosed;
    },
    ready() {
      if (availability.now || isClosed) return Promise.resolve(availability.now);
      return new Promise((resolve) => {
        const settle = () => {
          clearTimeout(timer);
          off();
          readyWaiters.delete(settle);
          resolve(availability.now);
        };
        const timer = setTimeout(settle, settings.connectTimeoutMs);
        const off = availability.onChange(settle);
        readyWaiters.add(settle);
      });
    },
    send: (command) => guarded((commands) => commands.call(command)),
    run: (call) => guarded((commands) => runScript(commands, call)),
    async pipeline(calls) {
      if (calls.length === 0 && !isClosed) return [];
      const { replies } = await guarded((commands) => runPipeline(commands, calls));
      replies.forEach(noteError);
      return replies.map((reply) => (isClosed && isOutage(reply) ? closedError() : reply));
    },
    subscriber,
    health: () =>
      readHealth({
        transport,
        breaker,
        probe,
        subscriber,
        mode,
        isClosed: () => isClosed,
      }),
    async close() {
      if (isClosed) return;
      isClosed = true;
      heartbeat.stop();
      availability.end();
      firstConnection.end();
      for (const settle of [...readyWaiters]) settle();
      await Promise.all([transport.close(), subscriber.close()]);
    },
  };
}
