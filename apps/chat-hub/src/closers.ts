import type { Logger } from 'pino';

/** What was opened, to be closed last first. */
export interface Closers {
  add(close: () => unknown): void;
  /** Closes everything once; a part that fails is logged, and the rest closes all the same. */
  closeAll(): Promise<void>;
}

/** Creates an empty list. */
export function createClosers(log: Logger): Closers {
  const closes: (() => unknown)[] = [];
  return {
    add: (close) => void closes.push(close),
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
