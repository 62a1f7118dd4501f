import type { RedisClientError } from './errors.ts';
import type { Logger } from './logger.ts';

const retryMinMs = 500;
const retryMaxMs = 30_000;

/** Names that Redis refused or left unanswered though it had them before: each reported once, all retried. */
export interface Refusals {
  readonly any: boolean;
  report(name: string, error: RedisClientError): void;
  /** Keeps those that `stillRefused` says, and starts from the shortest pause when none is left. */
  keep(stillRefused: (name: string) => boolean): void;
  /** Calls `retry` after a pause of 0.5 s, doubling to 30 s; does nothing while a call is due. */
  scheduleRetry(): void;
  /** The next pause is the shortest. */
  resetPause(): void;
  stop(): void;
}

/** Makes {@link Refusals}. */
export function createRefusals(
  retry: () => void,
  { logger, random }: { readonly logger: Logger; readonly random: () => number },
): Refusals {
  const names = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let retries = 0;
  let isStopped = false;

  return {
    get any() {
      return names.size > 0;
    },
    report(name, error) {
      if (names.has(name)) return;
      names.add(name);
      const details = { topic: name, reason: error.message };
      logger.error(details, 'Redis refused a subscription; retrying');
    },
    keep(stillRefused) {
      for (const name of names) if (!stillRefused(name)) names.delete(name);
    },
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
