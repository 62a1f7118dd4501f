import type { Cache } from '@openclaw/cache';
import type { Channel, Message } from '@openclaw/protocol';
import type { Logger } from 'pino';

export type HubCache = Cache<Channel, Message>;

/**
 * Drops cached pages with one pipeline per turn of the event loop. A failure is harmless, because cached pages are
 * compared with the log's head before they are served.
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
