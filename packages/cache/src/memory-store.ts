import { LRUCache } from 'lru-cache';
import { sizeOf, type Raw } from './codec.ts';
import type { CacheOptions } from './options.ts';
import type { CacheStore } from './store.ts';
import { type ViewName, viewNames, viewTtlMs } from './views.ts';

interface Stored {
  readonly raw: Raw;
  readonly expiresAtMs: number;
}

/** Values in this process' memory, bounded, by the same rules as in Redis. */
export function createMemoryStore(options: Required<CacheOptions>): CacheStore {
  const { maxCopies, maxCopyBytes, clock } = options;
  const stored = new Map<ViewName, LRUCache<string, Stored>>();
  for (const view of viewNames) {
    stored.set(
      view,
      new LRUCache({
        max: maxCopies,
        maxSize: maxCopyBytes,
        sizeCalculation: ({ raw }) => sizeOf(raw),
      }),
    );
  }
  const heads = new LRUCache<string, number>({ max: maxCopies * viewNames.length });

  const remove = (views: readonly ViewName[], channelId: string) => {
    for (const view of views) stored.get(view)?.delete(channelId);
  };
  const raiseHead = (channelId: string, head: number) => {
    heads.set(channelId, Math.max(head, heads.get(channelId) ?? 0));
  };

  return {
    async lookup(view, channelId) {
      const value = stored.get(view)?.get(channelId);
      const head = heads.get(channelId);
      if (!value || value.expiresAtMs <= clock() || head === undefined) return { state: 'miss' };
      return { state: 'hit', raw: value.raw, head };
    },
    async fill(view, channelId, raw, head) {
      const published = heads.get(channelId);
      if (published === undefined || published < head) {
        heads.set(channelId, head);
        remove(viewNames, channelId);
      }
      if (published !== head) return 'refused';
      stored.get(view)?.set(channelId, { raw, expiresAtMs: clock() + viewTtlMs[view] });
      return 'filled';
    },
    async discard(view, channelId) {
      remove([view], channelId);
    },
    async drop(channels, forgetHeads) {
      for (const channel of channels) {
        const channelId = typeof channel === 'string' ? channel : channel.channelId;
        remove(viewNames, channelId);
        if (forgetHeads) heads.delete(channelId);
        else if (typeof channel !== 'string') raiseHead(channelId, channel.head);
      }
    },
    onEvent(views, channelId, seq) {
      remove(views, channelId);
      if (seq !== null) raiseHead(channelId, seq);
    },
  };
}
