import { ChatStoreError, runtimeError, type ChatStoreErrorCode } from './errors.ts';

/** Limits the number of concurrent calls. Many calls in one lane do not slow another lane. */
export interface CallLane {
  /**
   * Settles within the lane's timeout. A late call rejects with `late`, but counts until the database has finished it.
   * @throws {ChatStoreError} `unavailable` at once when the lane is full
   */
  run<T>(
    call: () => Promise<T>,
    late: Extract<ChatStoreErrorCode, 'unavailable' | 'timeout'>,
  ): Promise<T>;
}

/** Creates a lane for `width` concurrent calls. */
export function createCallLane(width: number, timeoutMs: number): CallLane {
  let calls = 0;
  return {
    async run(call, late) {
      if (calls >= width) {
        throw new ChatStoreError('unavailable', 'too many calls are under way', {
          retryAfterMs: 500,
        });
      }
      calls += 1;
      const work = call().finally(() => (calls -= 1));
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<never>((_resolve, reject) => {
        const message = `the database did not answer within ${timeoutMs} ms`;
        timer = setTimeout(() => reject(new ChatStoreError(late, message)), timeoutMs);
      });
      try {
        return await Promise.race([work, deadline]);
      } catch (error) {
        throw runtimeError(error);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
