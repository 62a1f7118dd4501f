import type { Logger } from 'pino';

/** Collects how to close the parts of the hub. */
export interface Closers {
  add(close: () => unknown): void;
  /** Closes everything once, in reverse order. A part that fails is logged; the rest is closed all the same. */
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
