import type { Logger } from 'pino';

export interface FoundHead {
  readonly head: number;
  readonly epochGeneration: number;
}

export function createFoundDirects(
  open: (channelId: string, found: FoundHead) => Promise<void>,
  log: Pick<Logger, 'warn'>,
  {
    /** The most channels that are opened at once. One tail check may find thousands. */
    maxConcurrent = 16,
    /** Past this number, the first channel in the queue is dropped and logged. */
    maxWaiting = 20_000,
    retryMs = 500,
    /** A channel is dropped after this many failed attempts, because it may no longer exist. */
    maxAttempts = 120,
  } = {},
) {
  const waiting = new Map<string, FoundHead>();
  const failures = new Map<string, number>();
  let opening = 0;
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;

  function queue(channelId: string, found: FoundHead): void {
    waiting.set(channelId, newer(found, waiting.get(channelId)));
    const [first] = waiting.keys();
    if (waiting.size <= maxWaiting || first === undefined) return;
    release(first);
    log.warn({ channelId: first }, 'a direct channel was dropped: too many wait to be opened');
  }

  function release(channelId: string): void {
    waiting.delete(channelId);
    failures.delete(channelId);
  }

  function failed(channelId: string, found: FoundHead, error: unknown): void {
    const attempts = (failures.get(channelId) ?? 0) + 1;
    if (attempts === 1 || attempts >= maxAttempts) {
      log.warn({ err: error, channelId, attempts }, 'a direct channel could not be opened yet');
    }
    if (attempts >= maxAttempts) return release(channelId);
    failures.set(channelId, attempts);
    queue(channelId, found);
    // The store failed, so the other channels wait too.
    if (!isClosed) retry ??= setTimeout(retryNow, retryMs).unref();
  }

  function openNext(): void {
    for (const [channelId, found] of waiting) {
      if (opening >= maxConcurrent || retry || isClosed) return;
      waiting.delete(channelId);
      opening += 1;
      void open(channelId, found)
        .then(
          () => void failures.delete(channelId),
          (error: unknown) => failed(channelId, found, error),
        )
        .finally(() => {
          opening -= 1;
          openNext();
        });
    }
  }

  function retryNow(): void {
    retry = undefined;
    openNext();
  }

  return {
    add(channelId: string, found: FoundHead) {
      queue(channelId, found);
      openNext();
    },
    close() {
      isClosed = true;
      clearTimeout(retry);
      waiting.clear();
      failures.clear();
    },
  };
}

function newer(one: FoundHead, other: FoundHead | undefined): FoundHead {
  if (!other || one.epochGeneration > other.epochGeneration) return one;
  return one.epochGeneration === other.epochGeneration && one.head > other.head ? one : other;
}
