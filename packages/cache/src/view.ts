import type { Codec, Raw } from './codec.ts';
import { createCopies, type StaleRead } from './copies.ts';
import { CacheError } from './errors.ts';
import type { CacheOptions } from './options.ts';
import type { CacheStore } from './store.ts';
import type { ViewName } from './views.ts';

/** A value, and the channel's head with which it is true. What a loader answers and what a read resolves with. */
export interface Loaded<T> {
  readonly value: T;
  /** The seq of the channel's newest event; 0 before the first. A loader reads it no later than the value. */
  readonly head: number;
}

/** Plain numbers of one view since its creation, for metrics. Each read counts as one of the first four. */
export interface ViewStats {
  /** Served by the cache. */
  hits: number;
  /** Not in the cache, so loaded. */
  misses: number;
  /** Redis away, so loaded. */
  bypassed: number;
  /** Joined a read that was under way. */
  shared: number;
  /** Served by a copy in memory, through `readStale`. */
  stale: number;
  /** Found in the cache and not readable: dropped, and loaded. */
  corrupt: number;
  /** Loaded values that the cache took. */
  fills: number;
  /** Loaded values that the cache did not take, because the channel moved on or its head was not known. */
  refusedFills: number;
  /** Loaded values too large for the cache. */
  oversized: number;
}

/** One thing that is cached of each channel. */
export interface CachedView<T> {
  /**
   * The value from the cache, else from `load`, which then fills the cache without making the reader wait. Reads of
   * the same channel at the same time share one lookup and one load. One round trip on a hit, a second after a miss.
   * With Redis away: `load`. Rejects only as `load` does, or for a channelId that cannot stand in a key.
   */
  read(channelId: string, load: () => Promise<Loaded<T>>): Promise<Loaded<T>>;
  /** This process' copy, for when the database is away too; null when there is none. Touches no Redis. */
  readStale(channelId: string): StaleRead<T> | null;
  readonly stats: Readonly<ViewStats>;
}

/** A {@link CachedView} with what the cache tells it. */
export interface View<T> extends CachedView<T> {
  /** The value is outdated: drops the copy, and what is being loaded will neither fill nor be shared. */
  outdate(channelId: string): void;
  /** An event came that does not outdate the value. */
  raise(channelId: string, head: number): void;
  /** Resolves when no fill is under way. */
  settled(): Promise<void>;
}

interface Flight<T> {
  outdated: boolean;
  result?: Promise<Loaded<T>>;
}

/** Makes one view on a store. */
export function createView<T>(
  name: ViewName,
  codec: Codec<T>,
  store: CacheStore,
  options: Required<CacheOptions>,
): View<T> {
  const copies = createCopies<T>(options);
  const flights = new Map<string, Flight<T>>();
  const fills = new Set<Promise<void>>();
  const stats: ViewStats = {
    ...{ hits: 0, misses: 0, bypassed: 0, shared: 0, stale: 0 },
    ...{ corrupt: 0, fills: 0, refusedFills: 0, oversized: 0 },
  };

  async function lookup(channelId: string, flight: Flight<T>): Promise<Loaded<T> | null> {
    const found = await store.lookup(name, channelId);
    if (found.state === 'hit') {
      const value = codec.decode(found.raw);
      if (value !== undefined) {
        stats.hits += 1;
        const { head } = found;
        if (!flight.outdated) copies.keep(channelId, value, head, found.raw);
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

  async function fill(channelId: string, raw: Raw, head: number): Promise<void> {
    const outcome = await store.fill(name, channelId, raw, head);
    if (outcome === 'filled') stats.fills += 1;
    if (outcome === 'refused') stats.refusedFills += 1;
  }

  async function fly(
    channelId: string,
    flight: Flight<T>,
    load: () => Promise<Loaded<T>>,
  ): Promise<Loaded<T>> {
    const cached = await lookup(channelId, flight);
    if (cached) return cached;
    const loaded = await load();
    const { head } = loaded;
    if (!Number.isSafeInteger(head) || head < 0) {
      throw new CacheError('invalid_load', `a loader must answer the channel's head, not ${head}`);
    }
    const value = codec.fit(loaded.value);
    const raw = codec.encode(value);
    if (raw === null) {
      stats.oversized += 1;
    } else if (!flight.outdated) {
      copies.keep(channelId, value, head, raw);
      const filling = fill(channelId, raw, head).finally(() => fills.delete(filling));
      fills.add(filling);
    }
    return { value, head };
  }

  return {
    stats,
    read(channelId, load) {
      const flying = flights.get(channelId)?.result;
      if (flying) {
        stats.shared += 1;
        return flying;
      }
      const flight: Flight<T> = { outdated: false };
      flight.result = fly(channelId, flight, load).finally(() => {
        if (flights.get(channelId) === flight) flights.delete(channelId);
      });
      flights.set(channelId, flight);
      return flight.result;
    },
    readStale(channelId) {
      const copy = copies.get(channelId);
      if (!copy) return null;
      stats.stale += 1;
      return { ...copy, value: codec.withHead(copy.value, copy.head) };
    },
    outdate(channelId) {
      copies.forget(channelId);
      const flight = flights.get(channelId);
      if (!flight) return;
      flight.outdated = true;
      // Who asks from now on must not be answered by a load that began before.
      flights.delete(channelId);
    },
    raise: (channelId, head) => copies.raise(channelId, head),
    async settled() {
      while (fills.size > 0) await Promise.all(fills);
    },
  };
}
