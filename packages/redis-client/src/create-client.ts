import { createAvailability } from './availability.ts';
import { createBreaker } from './breaker.ts';
import type { RedisClient } from './client.ts';
import { resolveConnection } from './connection-options.ts';
import { createSubscriber } from './create-subscriber.ts';
import { isOutage, RedisClientError, toClientError } from './errors.ts';
import { createFirstConnection } from './first-connection.ts';
import { readHealth } from './health.ts';
import { startHeartbeat } from './heartbeat.ts';
import { openTransports } from './open-transports.ts';
import { type Logger, silentLogger } from './logger.ts';
import { type RedisClientOptions, resolveSettings } from './options.ts';
import { runPipeline, runScript } from './pipeline.ts';
import { createProbe } from './probe.ts';
import type { CommandTransport } from './transport.ts';

/**
 * Connects to Redis and keeps connecting, for ever, until closed. Does not wait for the connection, but the calls made
 * before it do (see {@link RedisClient.connecting}). Once there was one, or `connectTimeoutMs` have passed, calls
 * reject with `unavailable` whenever {@link RedisClient.available} is false.
 * @throws {RedisClientError} `invalid_options`
 */
export function createRedisClient(
  options: RedisClientOptions,
  { logger = silentLogger }: { readonly logger?: Logger } = {},
): RedisClient {
  const connection = resolveConnection(options);
  const settings = resolveSettings(options);
  let isClosed = false;
  let lastError = 'not connected yet';

  const availability = createAvailability(logger);
  const refresh = () => {
    if (isClosed) return;
    // A server that takes no writes is away: what is read from it would lack what could not be written.
    const isUp = transport.ready && breaker.state === 'closed' && probe.takesWrites;
    if (!isUp && !availability.now && isProving()) return;
    availability.set(isUp, whyNot());
    if (isUp) firstConnection.end();
  };
  /** A new connection of which the first beat is not answered yet. */
  const isProving = () =>
    transport.ready && breaker.state === 'closed' && !probe.takesWrites && !probe.refusal;
  const whyNot = () => probe.refusal?.message ?? lastError;
  const firstConnection = createFirstConnection(settings.connectTimeoutMs);
  const readyWaiters = new Set<() => void>();
  const breaker = createBreaker(
    { failures: settings.breakerFailures, halfOpenAfterMs: Math.ceil(settings.heartbeatMs * 0.8) },
    (state) => {
      // A connection that stays up without answering is replaced: what waits in its buffers must not be sent later,
      // and the sentinels may know a better server.
      if (state === 'open' && transport.ready) transport.drop();
      refresh();
    },
  );
  const { transport, openSubscriber } = openTransports(connection, settings, {
    onReady() {
      refresh();
      heartbeat.now();
    },
    onDown() {
      lastError = 'the connection was lost';
      probe.lost();
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
            // Without a connection, why there is none says more.
            if (transport.ready) lastError = error.message;
            throw error;
          }),
        )
        .finally(refresh),
  });
  const subscriber = createSubscriber({ open: openSubscriber, logger, settings });

  function notice(error: unknown): void {
    if (probe.noticeError(error)) refresh();
  }

  const closedError = () => new RedisClientError('closed', 'the Redis client is closed');

  async function guarded<T>(work: (commands: CommandTransport) => Promise<T>): Promise<T> {
    if (isClosed) throw closedError();
    if (firstConnection.isAwaited && !availability.now) await firstConnection.wait();
    if (isClosed) throw closedError();
    if (!availability.now) {
      throw new RedisClientError('unavailable', `Redis is unavailable: ${whyNot()}`);
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
      notice(error);
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
      replies.forEach(notice);
      return replies.map((reply) => (isClosed && isOutage(reply) ? closedError() : reply));
    },
    subscriber,
    health: () =>
      readHealth({
        transport,
        breaker,
        probe,
        subscriber,
        mode: connection.mode,
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
