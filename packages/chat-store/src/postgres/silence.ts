import { wrapCalls } from '../core/core-calls.ts';
import type { StoreCore } from '../core/store-core.ts';
import { ChatStoreError } from '../errors.ts';
import { isLost } from './postgres-errors.ts';

export interface SilenceOptions {
  /** The server's address without secrets, as error messages show it. */
  readonly server: string;
  /** Without an answer for this long, a server counts as silent. */
  readonly silentMs: number;
  /** How long a silent server may take to answer a probe before calls are refused. */
  readonly probeMs: number;
  /** @default performance.now */
  readonly monotonic?: () => number;
}

const retryAfterMs = 500;

/**
 * Refuses calls with `unavailable` while the server is silent. One call of a client makes several calls of the core in
 * a row. If each call of the core waited for its own timeout, the client would wait for the sum.
 */
export function refuseWhileSilent(core: StoreCore, options: SilenceOptions): StoreCore {
  const { server, silentMs, probeMs, monotonic = () => performance.now() } = options;
  /** The time of the first call since the last answer; null if there was no such call. */
  let unansweredSinceMs: number | null = null;
  let probe: Promise<void> | undefined;
  /** The probe took too long. No call waits for it any more, because the waits would add up. */
  let isProbeLate = false;

  const answered = () => void (unansweredSinceMs = null);
  // An error from the server also proves that it answers.
  const failed = (error: unknown) => {
    if (!(error instanceof ChatStoreError && isLost(error.cause))) answered();
  };

  function answersSoon(): Promise<boolean> {
    if (probe && isProbeLate) return Promise.resolve(false);
    isProbeLate = false;
    probe ??= core
      .epoch()
      .then(answered, failed)
      .finally(() => (probe = undefined));
    return new Promise((resolve) => {
      const tooLong = setTimeout(() => {
        isProbeLate = true;
        resolve(false);
      }, probeMs);
      void probe?.then(() => {
        clearTimeout(tooLong);
        resolve(unansweredSinceMs === null);
      });
    });
  }

  return wrapCalls(core, (call) => async (...args) => {
    const isSilent = unansweredSinceMs !== null && monotonic() - unansweredSinceMs >= silentMs;
    if (isSilent && !(await answersSoon())) {
      const message = `the PostgreSQL server ${server} does not answer`;
      throw new ChatStoreError('unavailable', message, { retryAfterMs });
    }
    unansweredSinceMs ??= monotonic();
    try {
      const answer = await call(...args);
      answered();
      return answer;
    } catch (error) {
      failed(error);
      throw error;
    }
  });
}
