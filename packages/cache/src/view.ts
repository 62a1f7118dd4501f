import { checkId } from '@openclaw/key-schema';
import { LRUCache } from 'lru-cache';
import { type Codec, type Raw, sizeOf } from './codec.ts';
import { CacheError } from './errors.ts';
import type { CacheOptions } from './options.ts';
import type { CacheStore, ViewName } from './store.ts';

export interface Loaded<T> {
  readonly value: T;
  /** The seq of the channel's newest event; 0 before the first. Read it before the value or in the same transaction. */
  readonly head: number;
}

export interface StaleRead<T> {
  readonly value: T;
  /** The newest seq at which this process knows the value to be valid. */
  readonly head: number;
  readonly ageMs: number;
}

/** Each read counts as one of the first four. */
export interface ViewStats {
  hits: number;
  misses: number;
  bypassed: number;
  /** Reads that waited for another read of the same channel. */
  shared: number;
  stale: number;
  /** Corrupt values, which were deleted and loaded again. */
  corrupt: number;
  fills: number;
  /** Loaded values that were not stored, because the head is unknown, or an event arrived after the load. */
  refusedFills: number;
  oversized: number;
}

export interface CachedView<T> {
  /**
   * The value from the cache, else from `load`, without waiting for the fill. Simultaneous reads of a channel share one
   * lookup and one load. A hit costs one round trip. A miss costs one more, for the fill. Rejects only when `load`
   * does, or for a bad channelId.
   */
  read(channelId: string, load: () => Promise<Loaded<T>>): Promise<Loaded<T>>;
  /** This process' copy, or null. For use while Redis and the database are away; no Redis access. */
  readStale(channelId: string): StaleRead<T> | null;
  readonly stats: Readonly<ViewStats>;
}

interface Copy<T> {
  readonly value: T;
  readonly readAtMs: number;
  readonly bytes: number;
  head: number;
}

interface Flight<T> {
  isInvalidated: boolean;
  result?: Promise<Loaded<T>>;
}

export function createView<T>(
  name: ViewName,
  codec: Codec<T>,
  store: CacheStore,
  options: Required<CacheOptions>,
) {
  const { maxCopies, maxCopyBytes, clock } = options;
  const copies = new LRUCache<string, Copy<T>>({
    max: maxCopies,
    maxSize: maxCopyBytes,
    sizeCalculation: ({ bytes }) => bytes,
  });
  const flights = new Map<string, Flight<T>>();
  const fills = new Set<Promise<void>>();
  const stats: ViewStats = {
    hits: 0,
    misses: 0,
    bypassed: 0,
    shared: 0,
    stale: 0,
    corrupt: 0,
    fills: 0,
    refusedFills: 0,
    oversized: 0,
  };

  function keepCopy(channelId: string, value: T, head: number, raw: Raw): void {
    copies.set(channelId, { value, head, readAtMs: clock(), bytes: sizeOf(raw) });
  }

  async function lookup(channelId: string, flight: Flight<T>): Promise<Loaded<T> | null> {
    const found = await store.lookup(name, channelId);
    if (found.state === 'hit') {
      const value = codec.decode(found.raw);
      if (value !== undefined) {
        stats.hits += 1;
        const { head } = found;
        if (!flight.isInvalidated) keepCopy(channelId, value, head, found.raw);
        return { value: codec.withHead(value, head), head };
      }
    }
    stats[found.state === 'away' ? 'bypassed' : 'misses'] += 1;
    if (found.state === 'hit' || found.state === 'corrupt') {
      stats.corrupt += 1;
      await store.discard(name, channelId);
    }
    return null;
  }

  async function fly(
    channelId: string,
    flight: Flight<T>,
    load: () => Promise<Loaded<T>>,
  ): Promise<Loaded<T>> {
    checkId(channelId);
    const cached = await lookup(channelId, flight);
    if (cached) return cached;
    const loaded = await load();
    const { head } = loaded;
    if (!Number.isSafeInteger(head) || head < 0) {
      throw new CacheError('invalid_load', `a loader must return the channel's head, not ${head}`);
    }
    const value = codec.fit(loaded.value);
    const raw = codec.encode(value);
    if (raw === null) {
      stats.oversized += 1;
    } else if (!flight.isInvalidated) {
      keepCopy(channelId, value, head, raw);
      const filling = store
        .fill(name, channelId, raw, head)
        .then((outcome) => {
          if (outcome === 'filled') stats.fills += 1;
          if (outcome === 'refused') stats.refusedFills += 1;
        })
        .finally(() => fills.delete(filling));
      fills.add(filling);
    }
    return { value, head };
  }

  return {
    stats,
    read(channelId: string, load: () => Promise<Loaded<T>>) {
      const flying = flights.get(channelId)?.result;
      if (flying) {
        stats.shared += 1;
        return flying;
      }
      const flight: Flight<T> = { isInvalidated: false };
      flight.result = fly(channelId, flight, load).finally(() => {
        if (flights.get(channelId) === flight) flights.delete(channelId);
      });
      flights.set(channelId, flight);
      return flight.result;
    },
    readStale(channelId: string) {
      const copy = copies.get(channelId);
      if (!copy) return null;
      stats.stale += 1;
      const { value, head, readAtMs } = copy;
      return { value: codec.withHead(value, head), head, ageMs: clock() - readAtMs };
    },
    /** Drops the copy. A load in progress began earlier, so it fills no cache, and later reads do not share it. */
    invalidate(channelId: string) {
      copies.delete(channelId);
      const flight = flights.get(channelId);
      if (!flight) return;
      flight.isInvalidated = true;
      flights.delete(channelId);
    },
    /** Call it for an event that leaves the value valid. */
    raiseHead(channelId: string, head: number) {
      const copy = copies.peek(channelId);
      if (copy && head > copy.head) copy.head = head;
    },
    async settled() {
      while (fills.size > 0) await Promise.all(fills);
    },
  } satisfies CachedView<T> & Record<string, unknown>;
}
