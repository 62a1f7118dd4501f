import { RedisClientError } from './errors.ts';

/** The most calls that wait for the first connection; further ones fail at once. */
const waitingMax = 1_000;

/** The time between a client's creation and its first connection, in which calls wait instead of failing. */
export interface FirstConnection {
  /** True until the first connection, or until the time for it is over. */
  readonly isAwaited: boolean;
  /** Resolves when it is no longer awaited, in the order of the calls. @throws {RedisClientError} `unavailable` */
  wait(): Promise<void>;
  /** Ends the wait: there is a connection, or the client is closed. Idempotent. */
  end(): void;
}

/** Begins to wait. */
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
