import { ChatStoreError, runtimeError, type ChatStoreErrorCode } from './errors.ts';

/** A limited number of calls at once. A flood in one lane does not slow another lane. */
export interface CallLane {
  /**
   * Settles within the lane's time. Late calls reject with `late`, but count until the database has let go of them.
   * @throws {ChatStoreError} `unavailable` at once when the lane is full
   */
  run<T>(
    call: () => Promise<T>,
    late: Extract<ChatStoreErrorCode, 'unavailable' | 'timeout'>,
  ): Promise<T>;
}

/** Makes a lane that is `width` calls wide. */
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
