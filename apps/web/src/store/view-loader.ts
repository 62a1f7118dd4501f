import type { Chat } from './chat.ts';

/** Reads what a channel's view shows, until it has been read. */
export interface ViewReader {
  /** Reads it the first time; resolves once it is read, and rejects when the first attempt fails: more follow. */
  open(chat: Chat): Promise<void>;
  /** What was read does not hold any more: reads it again, if it was ever wanted. */
  again(chat: Chat): Promise<void>;
  forget(chat: Chat): void;
  close(): void;
}

const retryMs = 3_000;

/** `read` reads all of it anew. */
export function createViewReader(read: (chat: Chat) => Promise<void>): ViewReader {
  const wanted = new Set<Chat>();
  const isRead = new WeakSet<Chat>();
  const readings = new Map<Chat, Promise<void>>();
  /** What is being read of them is older than what made it read again. */
  const outdated = new Set<Chat>();
  const retries = new Map<Chat, ReturnType<typeof setTimeout>>();

  function start(chat: Chat): Promise<void> {
    stopRetrying(chat);
    const reading = readUntilCurrent(chat).finally(() => readings.delete(chat));
    readings.set(chat, reading);
    reading.catch(() => {
      if (!wanted.has(chat)) return;
      const retry = () => {
        retries.delete(chat);
        // Whoever asked for it has been told; from here on it is only tried.
        start(chat).catch(() => undefined);
      };
      retries.set(chat, setTimeout(retry, retryMs));
    });
    return reading;
  }

  async function readUntilCurrent(chat: Chat) {
    isRead.delete(chat);
    do {
      outdated.delete(chat);
      await read(chat);
    } while (outdated.has(chat));
    isRead.add(chat);
  }

  function stopRetrying(chat: Chat) {
    clearTimeout(retries.get(chat));
    retries.delete(chat);
  }

  return {
    async open(chat) {
      wanted.add(chat);
      await chat.followed;
      if (!isRead.has(chat)) await (readings.get(chat) ?? start(chat));
    },
    async again(chat) {
      if (!wanted.has(chat)) return;
      const reading = readings.get(chat);
      if (reading === undefined) return start(chat);
      outdated.add(chat);
      await reading;
    },
    forget(chat) {
      wanted.delete(chat);
      stopRetrying(chat);
    },
    close() {
      wanted.clear();
      for (const timer of retries.values()) clearTimeout(timer);
    },
  };
}
