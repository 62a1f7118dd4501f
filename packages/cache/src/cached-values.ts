import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { checkId, ttlMs as ttls } from '@openclaw/key-schema';
import { CacheError } from './errors.ts';
import type { CacheOptions } from './options.ts';
import type { ValueStore } from './value-store.ts';
import type { ViewStats } from './view.ts';

/** Loads a value, which must be JSON. `signal` aborts after `loadTimeoutMs`. */
export type LoadValue<T> = (signal: AbortSignal) => Promise<T>;

export interface GetOrSetOptions {
  /** How long a loaded `null` is cached, so that a missing row is not looked up by every caller. @default ttlMs */
  readonly nullTtlMs?: number;
}

export type ValueStats = Omit<ViewStats, 'stale'>;

export interface CachedValues {
  /**
   * Returns the cached value, else the result of `load`. The value passes through JSON even on a miss, so a Date
   * becomes a string. Each caller gets a separate object.
   *
   * Only one process loads a name at a time; all other callers wait for it, for at most `loadTimeoutMs`. A value of
   * more than `maxValueBytes` is returned and not cached. Errors of `load` are not cached. While Redis is away, each
   * process loads for itself.
   *
   * A hit costs one round trip. A miss costs two, and a third in the background to store the value.
   *
   * @param name an id as `isNameId` of key-schema accepts it: 1 to 128 characters, without a colon
   * @param ttlMs how long the value is cached: 1 ms to 30 days
   * @throws {CacheError} `invalid_argument` for a wrong TTL, `invalid_load` for a value that JSON cannot carry,
   * `load_timeout`
   * @throws {KeySchemaError} `invalid_id`
   */
  getOrSet<T>(
    name: string,
    ttlMs: number,
    load: LoadValue<T>,
    options?: GetOrSetOptions,
  ): Promise<T>;
  /**
   * Deletes the value. Call it after the source has changed. A load that began earlier cannot fill the cache, but its
   * callers in other processes still get its value.
   * @throws {CacheError} `unavailable` when Redis did not execute it; repeat the call
   */
  delete(name: string): Promise<void>;
  readonly stats: Readonly<ValueStats>;
}

interface Read {
  readonly text: string;
  readonly value: unknown;
}

/** Stored instead of a value that is too large. Callers then load without waiting for each other. */
const oversizedText = '';
/** A large value may have become smaller, so its size is checked again after this time. */
const oversizedTtlMs = 60_000;
const firstPauseMs = 10;
const longestPauseMs = 100;

export function createCachedValues(
  store: ValueStore,
  { maxValueBytes, loadTimeoutMs }: Required<CacheOptions>,
): { readonly values: CachedValues; readonly settled: () => Promise<void> } {
  if (loadTimeoutMs > ttls.cachedValueLeaseMax) {
    throw new CacheError(
      'invalid_options',
      `loadTimeoutMs must be at most ${ttls.cachedValueLeaseMax}, not ${loadTimeoutMs}`,
    );
  }
  const flights = new Map<string, Promise<Read>>();
  const fills = new Set<Promise<void>>();
  const stats: ValueStats = {
    hits: 0,
    misses: 0,
    bypassed: 0,
    shared: 0,
    corrupt: 0,
    fills: 0,
    refusedFills: 0,
    oversized: 0,
  };

  async function fly(
    name: string,
    load: LoadValue<unknown>,
    ttlMsOf: (value: unknown) => number,
  ): Promise<Read> {
    const found = await store.lookup(name);
    if (found.state === 'away' || isOversized(found)) return loadWithoutFill(load);
    const cached = await toHit(name, found);
    if (cached) return cached;

    const token = randomUUID();
    const claim = await claimOrWait(name, token);
    if (claim.state === 'hit' && !isOversized(claim)) {
      const filled = await toHit(name, claim);
      if (filled) return filled;
    }
    if (claim.state !== 'claimed') return loadWithoutFill(load);

    stats.misses += 1;
    try {
      const read = await loadInTime(load);
      const isTooLarge = Buffer.byteLength(read.text) > maxValueBytes;
      if (isTooLarge) stats.oversized += 1;
      const ttlMs = ttlMsOf(read.value);
      settle(name, token, isTooLarge ? oversizedText : read.text, {
        ttlMs: isTooLarge ? Math.min(ttlMs, oversizedTtlMs) : ttlMs,
      });
      return read;
    } catch (error) {
      // Ends the lease at once, or other callers would wait for its expiry.
      settle(name, token, null, { ttlMs: 0 });
      throw error;
    }
  }

  /** Null for a miss or a corrupt value. Deletes a corrupt value. */
  async function toHit(
    name: string,
    found: { state: string; text?: string },
  ): Promise<Read | null> {
    if (found.state !== 'hit' || found.text === undefined) return null;
    try {
      const read = { text: found.text, value: JSON.parse(found.text) as unknown };
      stats.hits += 1;
      return read;
    } catch {
      stats.corrupt += 1;
      // If the deletion fails, the next reader repeats it.
      await store.delete(name).catch(() => undefined);
      return null;
    }
  }

  async function claimOrWait(name: string, token: string) {
    const endsAtMs = performance.now() + loadTimeoutMs;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const claim = await store.claim(name, token, loadTimeoutMs);
      if (claim.state !== 'taken' || performance.now() + pauseMs > endsAtMs) return claim;
      await delay(pauseMs);
    }
  }

  function loadWithoutFill(load: LoadValue<unknown>): Promise<Read> {
    stats.bypassed += 1;
    return loadInTime(load);
  }

  async function loadInTime(load: LoadValue<unknown>): Promise<Read> {
    const controller = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = new CacheError('load_timeout', `a load took more than ${loadTimeoutMs} ms`);
        reject(error);
        controller.abort(error);
      }, loadTimeoutMs);
    });
    try {
      const text = toText(await Promise.race([load(controller.signal), timeout]));
      return { text, value: JSON.parse(text) as unknown };
    } finally {
      clearTimeout(timer);
    }
  }

  function settle(
    name: string,
    token: string,
    text: string | null,
    { ttlMs }: { readonly ttlMs: number },
  ): void {
    const filling = store
      .settle(name, token, text, ttlMs)
      .then((outcome) => {
        if (text === null || text === oversizedText) return;
        if (outcome === 'stored') stats.fills += 1;
        if (outcome === 'refused') stats.refusedFills += 1;
      })
      .finally(() => fills.delete(filling));
    fills.add(filling);
  }

  const values: CachedValues = {
    stats,
    async getOrSet<T>(
      name: string,
      ttlMs: number,
      load: LoadValue<T>,
      { nullTtlMs = ttlMs }: GetOrSetOptions = {},
    ) {
      checkId(name);
      checkTtl('ttlMs', ttlMs);
      checkTtl('nullTtlMs', nullTtlMs);
      const flying = flights.get(name);
      if (flying) {
        stats.shared += 1;
        return JSON.parse((await flying).text) as T;
      }
      const ttlMsOf = (value: unknown) => (value === null ? nullTtlMs : ttlMs);
      const flight = fly(name, load, ttlMsOf).finally(() => {
        if (flights.get(name) === flight) flights.delete(name);
      });
      flights.set(name, flight);
      return (await flight).value as T;
    },
    async delete(name) {
      checkId(name);
      flights.delete(name);
      await store.delete(name);
    },
  };
  return {
    values,
    async settled() {
      while (fills.size > 0) await Promise.all(fills);
    },
  };
}

function isOversized(found: { readonly state: string; readonly text?: string }): boolean {
  return found.state === 'hit' && found.text === oversizedText;
}

function checkTtl(option: string, ms: number): void {
  if (Number.isSafeInteger(ms) && ms >= 1 && ms <= ttls.cachedValueMax) return;
  throw new CacheError(
    'invalid_argument',
    `${option} must be an integer from 1 to ${ttls.cachedValueMax}, not ${String(ms)}`,
  );
}

function toText(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new CacheError('invalid_load', 'a load must resolve with a value that is JSON', error);
  }
  if (text === undefined) {
    throw new CacheError('invalid_load', `a load must resolve with JSON, not ${typeof value}`);
  }
  return text;
}
