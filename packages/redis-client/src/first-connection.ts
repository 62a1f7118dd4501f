import { RedisClientError } from './errors.ts';

/** The most calls that wait for the first connection; a further one fails at once, as if it could not be had. */
const waitingMax = 1_000;

/** The time between a client's creation and its first connection, in which calls wait instead of failing. */
export interface FirstConnection {
  /** False from the first connection on, or when it did not come in time. */
  readonly isAwaited: boolean;
  /** Resolves when it is no longer awaited, in the order of the calls. @throws {RedisClientError} `unavailable` */
  wait(): Promise<void>;
  /** There is a connection, or nobody wants one any more. Idempotent. */
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
