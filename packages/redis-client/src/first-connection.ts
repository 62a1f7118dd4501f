import { RedisClientError } from './errors.ts';

/** At most this many calls wait for the first connection. More fail at once. */
const waitingMax = 1_000;

/** The time between a client's creation and its first connection. Calls wait during this time instead of failing. */
export interface FirstConnection {
  /** True until the first connection or the timeout. */
  readonly isAwaited: boolean;
  /** Resolves when the wait ends, in the order of the calls. @throws {RedisClientError} `unavailable` */
  wait(): Promise<void>;
  /** Ends the wait, because the client is connected or closed. Idempotent. */
  end(): void;
}

export function createFirstConnection(timeoutMs: number): FirstConnection {
  const ended = Promise.withResolvers<void>();
  let isAwaited = true;
  let waiting = 0;
  const end = () => {
    isAwaited = false;
    clearTimeout(timer);
    ended.resolve();
  };
  const timer = setTimeout(end, timeoutMs);
  return {
    get isAwaited() {
      return isAwaited;
    },
    wait() {
      if (waiting >= waitingMax) {
        const message = `Redis is unavailable: ${waiting} calls wait for the first connection`;
        return Promise.reject(new RedisClientError('unavailable', message));
      }
      waiting += 1;
      return ended.promise;
    },
    end,
  };
}
