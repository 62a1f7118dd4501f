import type { ChatStore } from '@openclaw/chat-store';
import type { Logger } from 'pino';
import type { Writer } from './writer.ts';

const everyMs = 500;

/**
 * Logs and publishes the expiry of asks and questions, within two seconds. The database gives each due event to one
 * hub, so an expiry survives the hub that took the ask. Costs one small statement every half second.
 */
export function startExpiries(deps: {
  readonly store: Pick<ChatStore, 'due' | 'expire'>;
  readonly writer: Pick<Writer, 'publishAll'>;
  readonly log: Logger;
}) {
  const { store, writer, log } = deps;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isClosed = false;

  async function expireAll(): Promise<void> {
    while (!isClosed) {
      const due = await store.due();
      const events = (await Promise.all(due.map((expiry) => store.expire(expiry)))).flat();
      writer.publishAll(events);
      // Another hub was first, or the database refused.
      if (events.length === 0) return;
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
