import { LRUCache } from 'lru-cache';
import type { Raw } from './codec.ts';
import type { CacheOptions } from './options.ts';

/** What was last read of one channel. */
interface Copy<T> {
  readonly value: T;
  readonly readAtMs: number;
  readonly bytes: number;
  head: number;
}

/** What {@link Copies.get} answers. */
export interface StaleRead<T> {
  readonly value: T;
  /** The newest event of the channel that this process had noticed. */
  readonly head: number;
  /** How long ago it was read. */
  readonly ageMs: number;
}

/** This process' copies of one view: bounded by number and by size, dropped by what outdates them. */
export interface Copies<T> {
  keep(channelId: string, value: T, head: number, raw: Raw): void;
  get(channelId: string): StaleRead<T> | null;
  /** An event came that does not outdate the value. */
  raise(channelId: string, head: number): void;
  forget(channelId: string): void;
}

/** What a value counts against `maxCopyBytes`; never zero. */
export function sizeOf(raw: Raw): number {
  return raw.reduce((bytes, text) => bytes + text.length, 64);
}

/** Makes the {@link Copies} of one view. */
export function createCopies<T>(options: Required<CacheOptions>): Copies<T> {
  const { maxCopies, maxCopyBytes, clock } = options;
  const copies = new LRUCache<string, Copy<T>>({
    max: maxCopies,
    maxSize: maxCopyBytes,
    sizeCalculation: ({ bytes }) => bytes,
  });

  return {
    keep(channelId, value, head, raw) {
      copies.set(channelId, { value, head, readAtMs: clock(), bytes: sizeOf(raw) });
    },
    get(channelId) {
      const copy = copies.get(channelId);
      return copy ? { value: copy.value, head: copy.head, ageMs: clock() - copy.readAtMs } : null;
    },
    raise(channelId, head) {
      const copy = copies.peek(channelId);
      if (copy && head > copy.head) copy.head = head;
    },
    forget: (channelId) => void copies.delete(channelId),
  };
}
