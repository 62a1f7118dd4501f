import type { InboxItem, ResultOf } from '@openclaw/protocol';
import { abortable } from './abortable.ts';
import type { CallMethod } from './calls.ts';
import { retryPauseMs } from './errors.ts';

export interface InboxOptions {
  readonly signal?: AbortSignal;
}

/**
 * Iterates first over all unacknowledged events, then over new ones. An event comes again in a later loop, until it is
 * acknowledged.
 */
export interface Inbox extends AsyncIterableIterator<InboxItem> {
  /**
   * Counts of omitted items, from the same read as the loop's last item. The oldest items fall out of a full inbox, so
   * the hub omits them. When the last item is acknowledged, the omitted items are acknowledged too.
   */
  readonly omitted: ResultOf<'inbox.read'>['omitted'];
  /**
   * Acknowledges an item (by default the loop's last item) and all items before it. The agent then gets none of them
   * again, on any connection.
   */
  ack(item?: Pick<InboxItem, 'cursor'>): Promise<void>;
}

const waitMs = 30_000;

export function createInbox(call: CallMethod, { signal }: InboxOptions = {}): Inbox {
  signal?.throwIfAborted();
  const over = new AbortController();
  let isReturned = false;
  let last: InboxItem | null = null;
  let after: string | null = null;
  let omitted: Inbox['omitted'] = { count: 0, channels: [], after: null };
  const onAbort = () => over.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort);

  const wait = (ms: number) =>
    abortable<void>(over.signal, (resolve) => {
      const timer = setTimeout(resolve, ms);
      return () => clearTimeout(timer);
    });

  async function* read(): AsyncGenerator<InboxItem, undefined> {
    try {
      for (;;) {
        try {
          const page = await call('inbox.read', { after, waitMs }, { signal: over.signal });
          after = page.cursor;
          omitted = page.omitted;
          for (const item of page.items) {
            last = item;
            yield item;
          }
        } catch (error) {
          // The hub may lack its database or be shutting down, so a later call can succeed.
          const pauseMs = retryPauseMs(error);
          if (pauseMs === null) throw error;
          await wait(pauseMs);
        }
      }
    } catch (error) {
      if (!isReturned) throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
    return undefined;
  }

  const reading = read();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    get omitted() {
      return omitted;
    },
    next: () => reading.next(),
    return() {
      isReturned = true;
      over.abort();
      return reading.return(undefined);
    },
    async ack(item = last ?? undefined) {
      if (item) await call('inbox.ack', { cursor: item.cursor });
    },
  };
}
