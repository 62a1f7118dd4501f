import { toClientError, writeRefusalOf } from './errors.ts';
import type { Logger } from './logger.ts';
import type { ClientSettings } from './options.ts';
import type { SubscriberTransport } from './transport.ts';

/**
 * Runs `beat` every `everyMs`, and at once when `now` is called. At most `concurrent()` beats run at the same time. A
 * rejection is ignored. A stalled event loop causes one late beat, not many.
 */
export function startHeartbeat(
  everyMs: number,
  concurrent: () => number,
  beat: () => Promise<void>,
): { now(): void; stop(): void } {
  let running = 0;
  const now = () => {
    if (running >= concurrent()) return;
    running += 1;
    void beat()
      .catch(() => undefined)
      .then(() => (running -= 1));
  };
  const timer = setInterval(now, everyMs);
  return { now, stop: () => clearInterval(timer) };
}

/** Settles like `work`, but rejects with the error of `onTimeout` after `timeoutMs`. */
export function within<T>(work: Promise<T>, timeoutMs: number, onTimeout: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // After a stall of the event loop, timers run before the answers that wait in the socket. The answers are read in
      // the next turn.
      setImmediate(() => reject(onTimeout()));
    }, timeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Resolves when a PING was answered. MISCONF also counts as an answer: the server cannot save, but it is alive. */
export async function untilAnswered(ping: Promise<unknown>): Promise<void> {
  try {
    await ping;
  } catch (error) {
    if (writeRefusalOf(toClientError(error)) === null) throw error;
  }
}

/**
 * Pings the subscriber connection every `heartbeatMs`. After `breakerFailures` pings in a row without an answer the
 * connection is destroyed. A subscriber only listens, so nothing else would detect a dead connection.
 */
export function startSubscriberHeartbeat(
  transport: SubscriberTransport,
  { heartbeatMs, heartbeatTimeoutMs, breakerFailures }: ClientSettings,
  logger: Logger,
): { stop(): void } {
  let missed = 0;
  const noAnswer = () => new Error('no answer to PING');
  return startHeartbeat(
    heartbeatMs,
    () => breakerFailures,
    async () => {
      if (!transport.ready) {
        missed = 0;
        return;
      }
      try {
        await within(untilAnswered(transport.ping()), heartbeatTimeoutMs, noAnswer);
        missed = 0;
      } catch {
        missed += 1;
        if (missed < breakerFailures || !transport.ready) return;
        missed = 0;
        logger.warn({}, 'the Redis subscriber connection is silent; reconnecting');
        transport.drop();
      }
    },
  );
}
