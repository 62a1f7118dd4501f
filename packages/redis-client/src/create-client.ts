import { createAvailability } from './availability.ts';
import { createBreaker } from './breaker.ts';
import type { RedisClient } from './client.ts';
import { resolveConnection } from './connection-options.ts';
import { createSubscriber } from './create-subscriber.ts';
import { isOutage, RedisClientError, toClientError } from './errors.ts';
import { readHealth } from './health.ts';
import { startHeartbeat } from './heartbeat.ts';
import { openTransports } from './open-transports.ts';
import { type RedisLogger, silentLogger } from './logger.ts';
import { type RedisClientOptions, resolveSettings } from './options.ts';
import { runPipeline, runScript } from './pipeline.ts';
import { createProbe } from './probe.ts';
import type { CommandTransport } from './transport.ts';

/**
 * Connects to Redis and keeps connecting, for ever, until closed. Does not wait for the connection: until it is there,
 * calls reject with `unavailable` and {@link RedisClient.available} is false.
 * @throws {RedisClientError} `invalid_options`
 */
export function createRedisClient(
  options: RedisClientOptions,
  { logger = silentLogger }: { readonly logger?: RedisLogger } = {},
): RedisClient {
  const connection = resolveConnection(options);
  const settings = resolveSettings(options);
  let isClosed = false;
  let lastError = 'not connected yet';

  const availability = createAvailability(logger);
  const refresh = () => {
    if (isClosed) return;
    // The next connection may find the replica again: nobody is told that it is well before its role is known.
    const isUp = transport.ready && breaker.state === 'closed' && !probe.isDemoted;
    availability.set(isUp, lastError);
  };
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
    if (!probe.noticeError(error)) return;
    lastError = (error as RedisClientError).message;
    refresh();
  }

  const closedError = () => new RedisClientError('closed', 'the Redis client is closed');

  async function guarded<T>(work: (commands: CommandTransport) => Promise<T>): Promise<T> {
    if (isClosed) throw closedError();
    if (!availability.now) {
      throw new RedisClientError('unavailable', `Redis is unavailable: ${lastError}`);
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
        subscriber,
        mode: connection.mode,
        isClosed: () => isClosed,
      }),
    async close() {
      if (isClosed) return;
      isClosed = true;
      heartbeat.stop();
      availability.end();
      await Promise.all([transport.close(), subscriber.close()]);
    },
  };
}
