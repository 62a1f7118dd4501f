import type { ChatStore } from '@openclaw/chat-store';
import type { Logger } from 'pino';
import type { Writer } from './writer.ts';

/**
 * A batch has 16 expiries, or an eighth of the due ones if that is more. The store reports at most two thousand due
 * ones, so a batch has at most 250. Its size is limited because a commit holds the locks of its channels until its end.
 * Other writes must get in between, and the commit must end within its timeout.
 */
const atOnce = 16;
const partAtOnce = 1 / 8;

/**
 * Logs and publishes the expiry of asks and questions, within two seconds. Every hub does this, so an ask expires even
 * if the hub that created it has ended. The database lets only one hub log an expiry. Costs one small statement every
 * half second.
 */
export function startExpiries(deps: {
  readonly store: Pick<ChatStore, 'due' | 'expire'>;
  readonly writer: Pick<Writer, 'publishAll'>;
  readonly log: Logger;
  readonly everyMs?: number;
}) {
  const { store, writer, log, everyMs = 500 } = deps;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isClosed = false;

  async function expireAll(): Promise<void> {
    while (!isClosed) {
      const due = await store.due();
      let count = 0;
      const size = Math.max(atOnce, Math.ceil(due.length * partAtOnce));
      for (let at = 0; at < due.length && !isClosed; at += size) {
        const some = due.slice(at, at + size).map((expiry) => store.expire(expiry));
        // One expiry may fail while others are committed. The events of the committed expiries must be published.
        const ended = await Promise.allSettled(some);
        const events = ended.flatMap((end) => (end.status === 'fulfilled' ? end.value : []));
        writer.publishAll(events);
        count += events.length;
        const failed = ended.find((end) => end.status === 'rejected');
        if (failed) throw failed.reason as Error;
      }
      // Nothing was due, another hub was first, or the database refused.
      if (count === 0) return;
    }
  }

  function schedule(): void {
    timer = setTimeout(() => {
      running = expireAll()
        .catch((error: unknown) =>
          log.debug({ err: error }, 'what is due could not be read: it is read again'),
        )
        .finally(() => {
          if (!isClosed) schedule();
        });
    }, everyMs).unref();
  }

  schedule();
  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
