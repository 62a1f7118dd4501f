import type { Logger } from 'pino';

/** Direct channels whose new heads the tail check found, until the sockets here that follow them have entered them. */
export interface FoundDirects {
  /** The channel has this head. It is opened soon; a failure is retried. */
  found(channelId: string, found: FoundHead): void;
  close(): void;
}

/** A head, with the epoch that it belongs to (`Rooms.epochGeneration`). */
export interface FoundHead {
  readonly head: number;
  readonly epochGeneration: number;
}

/** Options of {@link createFoundDirects}. */
export interface FoundDirectsOptions {
  /** Channels opened at a time: one tail check may find thousands. @default 16 */
  readonly atOnce?: number;
  /** Channels that may wait; past it the one found first is given up, and logged. @default 20_000 */
  readonly maxWaiting?: number;
  /** Pause after a failure before the next attempt, ms. @default 500 */
  readonly retryMs?: number;
  /** Failed attempts after which a channel is given up: it may be gone. @default 120 */
  readonly maxAttempts?: number;
}

/** Creates the list. `open` rejects when the store cannot name the channel's members. */
export function createFoundDirects(
  open: (channelId: string, found: FoundHead) => Promise<void>,
  log: Pick<Logger, 'warn'>,
  options: FoundDirectsOptions = {},
): FoundDirects {
  const { atOnce = 16, maxWaiting = 20_000, retryMs = 500, maxAttempts = 120 } = options;
  /** The latest head found of each channel. */
  const waiting = new Map<string, FoundHead>();
  /** Failed attempts by channel. */
  const failures = new Map<string, number>();
  let opening = 0;
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;

  function keep(channelId: string, found: FoundHead): void {
    waiting.set(channelId, later(found, waiting.get(channelId)));
    const [first] = waiting.keys();
    if (waiting.size <= maxWaiting || first === undefined) return;
    giveUp(first);
    log.warn({ channelId: first }, 'a direct channel is not opened: too many wait');
  }

  function giveUp(channelId: string): void {
    waiting.delete(channelId);
    failures.delete(channelId);
  }

  function failed(channelId: string, found: FoundHead, error: unknown): void {
    const attempts = (failures.get(channelId) ?? 0) + 1;
    if (attempts === 1 || attempts >= maxAttempts) {
      log.warn({ err: error, channelId, attempts }, 'a direct channel could not be opened yet');
    }
    if (attempts >= maxAttempts) return giveUp(channelId);
    failures.set(channelId, attempts);
    keep(channelId, found);
    // The store failed, so all others would fail too: they wait as well.
    if (!isClosed) retry ??= setTimeout(retryNow, retryMs).unref();
  }

  function openNext(): void {
    for (const [channelId, found] of waiting) {
      if (opening >= atOnce || retry || isClosed) return;
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
    found(channelId, found) {
      keep(channelId, found);
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

function later(one: FoundHead, other: FoundHead | undefined): FoundHead {
  if (!other || one.epochGeneration > other.epochGeneration) return one;
  return one.epochGeneration === other.epochGeneration && one.head > other.head ? one : other;
}
