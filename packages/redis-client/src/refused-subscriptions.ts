import type { RedisClientError } from './errors.ts';
import type { Logger } from './logger.ts';

const retryMinMs = 500;
const retryMaxMs = 30_000;

/** Subscriptions that Redis accepted once and refused later. Each is logged once, and all are retried. */
export function createRefusedSubscriptions(
  retry: () => void,
  random: () => number,
  logger: Logger,
) {
  const names = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let retries = 0;
  let isStopped = false;

  return {
    get any() {
      return names.size > 0;
    },
    report(name: string, error: RedisClientError) {
      if (names.has(name)) return;
      names.add(name);
      const details = { topic: name, reason: error.message };
      logger.error(details, 'Redis refused a subscription; retrying');
    },
    keep(stillRefused: (name: string) => boolean) {
      for (const name of names) if (!stillRefused(name)) names.delete(name);
    },
    /** Calls `retry` after a pause, which doubles from 0.5 s to 30 s. Does nothing if a call is already scheduled. */
    scheduleRetry() {
      if (timer || isStopped) return;
      const pauseMs = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(retries, 10));
      retries += 1;
      timer = setTimeout(
        () => {
          timer = undefined;
          retry();
        },
        pauseMs * (0.5 + random() / 2),
      );
    },
    resetPause() {
      retries = 0;
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
