import { LRUCache } from 'lru-cache';
import { sizeOf, type Raw } from './codec.ts';
import type { CacheOptions } from './options.ts';

interface Copy<T> {
  readonly value: T;
  readonly readAtMs: number;
  readonly bytes: number;
  head: number;
}

/** A copy in this process' memory. */
export interface StaleRead<T> {
  readonly value: T;
  /** The seq of the channel's newest event that this process knew. */
  readonly head: number;
  /** How long ago the value was read. */
  readonly ageMs: number;
}

/** This process' copies of one view, bounded by number and by size. */
export interface Copies<T> {
  keep(channelId: string, value: T, head: number, raw: Raw): void;
  get(channelId: string): StaleRead<T> | null;
  /** An event came that does not invalidate the value. */
  raiseHead(channelId: string, head: number): void;
  drop(channelId: string): void;
}

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
    raiseHead(channelId, head) {
      const copy = copies.peek(channelId);
      if (copy && head > copy.head) copy.head = head;
    },
    drop: (channelId) => void copies.delete(channelId),
  };
}
