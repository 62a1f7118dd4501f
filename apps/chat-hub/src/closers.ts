import type { Logger } from 'pino';

export function createClosers(log: Logger) {
  const closes: (() => unknown)[] = [];
  return {
    add: (close: () => unknown) => void closes.push(close),
    opened<T extends { close(): unknown }>(part: T) {
      closes.push(() => part.close());
      return part;
    },
    /** If a part fails, the failure is logged and the rest is closed. */
    async closeAll() {
      for (let close = closes.pop(); close; close = closes.pop()) {
        try {
          await close();
        } catch (error) {
          log.warn({ err: error }, 'a part did not close cleanly');
        }
      }
    },
  };
}

export type Closers = ReturnType<typeof createClosers>;
