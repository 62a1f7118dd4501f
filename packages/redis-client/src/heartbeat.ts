import { toClientError, writeRefusalOf } from './errors.ts';
import type { Logger } from './logger.ts';
import { clientDefaults, type ClientSettings } from './options.ts';
import type { SubscriberTransport } from './transport.ts';

/**
 * The pause between beats while a connection may be dead. It is short, so that a rare heartbeat does not slow down
 * the recovery.
 */
export function recoveryBeatMs({ heartbeatMs }: ClientSettings): number {
  return Math.min(heartbeatMs, clientDefaults.heartbeatMs);
}

export interface Heartbeat {
  /** Runs a beat at once, beside the regular ones. */
  now(): void;
  /** Call this when the pause became shorter: the next beat then comes after the new pause at the latest. */
  hasten(): void;
  stop(): void;
}

/**
 * Runs `beat` after each `pauseMs()`. At most `concurrent()` beats run at the same time. A rejection is ignored. A
 * stalled event loop causes one late beat, not many.
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

/** Settles like `work`, but rejects with the error of `onTimeout` after `timeoutMs`. */
export function within<T>(work: Promise<T>, timeoutMs: number, onTimeout: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // After a stall of the event loop, timers run before the waiting answers are read, which happens in the next
      // turn.
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
 * Pings the subscriber connection every `heartbeatMs`, and more often after a ping without an answer. After
 * `breakerFailures` of these in a row the connection is destroyed. A subscriber only listens, so nothing else would
 * detect a dead connection.
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
