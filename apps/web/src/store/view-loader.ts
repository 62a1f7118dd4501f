import type { Chat } from './chat.ts';
import { createTimers } from './timers.ts';

const retryMs = 3_000;

/** Repeats `load` until it succeeds. `load` must load the whole view of a channel. */
export function createViewLoader(load: (chat: Chat) => Promise<void>) {
  const opened = new Set<Chat>();
  const loaded = new WeakSet<Chat>();
  const underWay = new Map<Chat, Promise<void>>();
  /** The load in progress may miss a change, so these channels are loaded once more. */
  const outdated = new Set<Chat>();
  const retries = createTimers<Chat>();

  function start(chat: Chat): Promise<void> {
    retries.cancel(chat);
    const loading = loadUntilCurrent(chat).finally(() => underWay.delete(chat));
    underWay.set(chat, loading);
    loading.catch(() => {
      if (!opened.has(chat)) return;
      // The caller got the first failure. Failures of retries are not reported.
      retries.start(chat, retryMs, () => void start(chat).catch(() => undefined));
    });
    return loading;
  }

  async function loadUntilCurrent(chat: Chat) {
    loaded.delete(chat);
    do {
      outdated.delete(chat);
      await load(chat);
    } while (outdated.has(chat));
    loaded.add(chat);
  }

  return {
    /** Loads the view, unless it is loaded. Rejects when the first attempt fails, although retries follow. */
    async open(chat: Chat) {
      opened.add(chat);
      await chat.subscribed;
      if (!loaded.has(chat)) await (underWay.get(chat) ?? start(chat));
    },
    async reload(chat: Chat) {
      if (!opened.has(chat)) return;
      const loading = underWay.get(chat);
      if (loading === undefined) return start(chat);
      outdated.add(chat);
      await loading;
    },
    forget(chat: Chat) {
      opened.delete(chat);
      retries.cancel(chat);
    },
    close() {
      opened.clear();
      retries.close();
    },
  };
}
