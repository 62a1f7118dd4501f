import { toClientError, writeRefusalOf } from './errors.ts';
import type { Logger } from './logger.ts';
import { clientDefaults, type ClientSettings } from './options.ts';
import type { SubscriberTransport } from './transport.ts';

/**
 * The pause between beats while a connection may be dead. It stays short even if `heartbeatMs` is long, so that the
 * recovery is not delayed.
 */
export function recoveryBeatMs({ heartbeatMs }: ClientSettings): number {
  return Math.min(heartbeatMs, clientDefaults.heartbeatMs);
}

export interface Heartbeat {
  now(): void;
  /** Call it when `pauseMs` has become shorter, so that the next beat comes in time. */
  hasten(): void;
  stop(): void;
}

/**
 * Runs `beat` after each `pauseMs()`, with at most `concurrent()` beats at a time. Rejections are ignored. A stalled
 * event loop causes one late beat, not many.
 */
export function startHeartbeat(
  pauseMs: () => number,
  concurrent: () => number,
  beat: () => Promise<void>,
): Heartbeat {
  let running = 0;
  let dueMs = 0;
  let timer: NodeJS.Timeout | undefined;
  const now = () => {
    if (running >= concurrent()) return;
    running += 1;
    void beat()
      .catch(() => undefined)
      .then(() => (running -= 1));
  };
  const schedule = () => {
    const pause = pauseMs();
    dueMs = performance.now() + pause;
    timer = setTimeout(() => {
      now();
      // The beat may have stopped the heartbeat.
      if (timer) schedule();
    }, pause);
  };
  schedule();
  return {
    now,
    hasten() {
      if (!timer || performance.now() + pauseMs() >= dueMs) return;
      clearTimeout(timer);
      schedule();
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

/** Settles like `work`, or rejects after `timeoutMs`. */
export function within<T>(work: Promise<T>, timeoutMs: number, onTimeout: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // After a stall, timers run before the answers that have arrived are read. So the rejection waits one turn.
      setImmediate(() => reject(onTimeout()));
    }, timeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** MISCONF is also an answer: the server cannot save, but it is alive. */
export async function untilAnswered(ping: Promise<unknown>): Promise<void> {
  try {
    await ping;
  } catch (error) {
    if (writeRefusalOf(toClientError(error)) === null) throw error;
  }
}

/**
 * Pings the subscriber connection every `heartbeatMs`, and more often after a missed ping. After `breakerFailures`
 * missed pings in a row, destroys the connection. A subscriber only listens, so nothing else would notice that its
 * connection is dead.
 */
export function startSubscriberHeartbeat(
  transport: SubscriberTransport,
  settings: ClientSettings,
  logger: Logger,
): { stop(): void } {
  const { heartbeatMs, heartbeatTimeoutMs, breakerFailures } = settings;
  let missed = 0;
  const noAnswer = () => new Error('no answer to PING');
  const heartbeat = startHeartbeat(
    () => (missed === 0 && transport.ready ? heartbeatMs : recoveryBeatMs(settings)),
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
        heartbeat.hasten();
        if (missed < breakerFailures || !transport.ready) return;
        missed = 0;
        logger.warn({}, 'the Redis subscriber connection is silent; reconnecting');
        transport.drop();
      }
    },
  );
  return heartbeat;
}
