import type { Logger } from 'pino';
import type { HubCache } from './hub-cache.ts';

/**
 * Drops the caches of channels whose events came from the store: all that one turn brings in one pipeline. While Redis
 * is away nothing is dropped, and nothing need be: what it held is compared with the log's head before it is served.
 */
export function createCacheDropper(
  cache: Pick<HubCache, 'drop'>,
  log: Logger,
): (channelId: string, head: number) => void {
  let heads = new Map<string, number>();
  function drop(): void {
    const channels = [...heads].map(([channelId, head]) => ({ channelId, head }));
    heads = new Map();
    cache
      .drop(channels)
      .catch((error: unknown) => log.debug({ err: error }, 'caches were not dropped'));
  }
  return (channelId, head) => {
    if (heads.size === 0) setImmediate(drop);
    heads.set(channelId, head);
  };
}
