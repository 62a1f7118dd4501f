import { setTimeout as delay } from 'node:timers/promises';
import type { RedisServerLink } from '@openclaw/redis-client';

export interface WalkOptions {
  /** With null, the walk covers all keys. */
  readonly prefix: string | null;
  readonly count: number;
  readonly keysPerSecond: number;
}

/** SCAN may return more keys than its COUNT. They are passed on in pages of at most this many. */
const pageMax = 200;

/**
 * Pauses after each SCAN for at least as long as the SCAN and `onPage` took, so that Redis is free half of the time.
 * Pauses longer if the rate requires it. A key that exists during the whole walk is passed on at least once.
 */
export async function walk(
  server: RedisServerLink,
  { prefix, count, keysPerSecond }: WalkOptions,
  onPage: (names: readonly string[]) => Promise<void>,
): Promise<void> {
  const match = prefix === null || prefix === '' ? [] : ['MATCH', `${prefix}*`];
  let cursor = '0';
  do {
    const startMs = performance.now();
    const [next, found] = (await server.call(['SCAN', cursor, ...match, 'COUNT', count])) as [
      string,
      string[],
    ];
    cursor = next;
    const names = [...new Set(found)];
    for (let from = 0; from < names.length; from += pageMax) {
      await onPage(names.slice(from, from + pageMax));
    }
    const tookMs = performance.now() - startMs;
    // A step over keys of other prefixes returns no keys, but costs Redis as much as any other step.
    const examined = Math.max(names.length, count);
    const pauseMs = Math.max(tookMs, (examined / keysPerSecond) * 1000 - tookMs);
    if (cursor !== '0') await delay(pauseMs);
  } while (cursor !== '0');
}
