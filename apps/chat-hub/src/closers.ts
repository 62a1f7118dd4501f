import type { Logger } from 'pino';

/** The parts that were opened, to be closed in reverse order. */
export interface Closers {
  add(close: () => unknown): void;
  /** Adds a part's close, and returns the part. */
  opened<T extends { close(): unknown }>(part: T): T;
  /** Closes everything once. A part that fails is logged, and the rest is closed nevertheless. */
  closeAll(): Promise<void>;
}

export function createClosers(log: Logger): Closers {
  const closes: (() => unknown)[] = [];
  return {
    add: (close) => void closes.push(close),
    opened(part) {
      closes.push(() => part.close());
      return part;
    },
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
