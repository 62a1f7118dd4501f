import type { Logger } from 'pino';

/** With this interval, 10,000 clients that reconnect at once cost only a few commits. */
const writeEveryMs = 250;
const retryAfterMs = 2_000;
const maxBatch = 500;

/** Writes values in the background, in batches, and retries a failed batch. The latest value of a key wins. */
export function createWriteBehind<T>(deps: {
  readonly write: (batch: readonly T[]) => Promise<void>;
  readonly what: string;
  readonly log: Pick<Logger, 'debug'>;
  /** The most values that wait, not counting the batch in flight. At this number, values with new keys are refused. */
  readonly maxPending: number;
  readonly clock?: () => number;
}) {
  const { what, log, maxPending, clock = () => performance.now() } = deps;
  let pending = new Map<string, T>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let writtenMs = -Infinity;
  let isClosed = false;

  function schedule(waitMs: number): void {
    if (isClosed || timer || writing) return;
    timer = setTimeout(() => void write(), Math.max(0, waitMs));
    timer.unref();
  }

  /** Resolves with false when the batch could not be written. */
  async function write(): Promise<boolean> {
    timer = undefined;
    writtenMs = clock();
    const batch = [...pending].slice(0, maxBatch);
    for (const [key] of batch) pending.delete(key);
    let waitMs = writeEveryMs;
    writing = deps.write(batch.map(([, value]) => value)).catch((error: unknown) => {
      log.debug({ err: error }, `${what} were not recorded; they will be`);
      waitMs = retryAfterMs;
      // The failed batch comes first again. A value that was added during the write replaces the failed one of the same
      // key.
      pending = new Map([...batch, ...pending]);
    });
    await writing;
    writing = undefined;
    if (pending.size > 0) schedule(waitMs);
    return waitMs === writeEveryMs;
  }

  return {
    /** Returns false when too many values wait already. */
    add(key: string, value: T): boolean {
      if (pending.size >= maxPending && !pending.has(key)) return false;
      pending.set(key, value);
      schedule(writtenMs + writeEveryMs - clock());
      return true;
    },
    has: (key: string) => pending.has(key),
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await writing;
      // Stops at the first failure, so that an unavailable database does not delay the close.
      while (pending.size > 0 && (await write()));
    },
  };
}
