import { LRUCache } from 'lru-cache';
import { sizeOf, type Raw } from './codec.ts';
import type { CacheOptions } from './options.ts';
import { type CacheStore, type ViewName, viewNames, viewTtlMs } from './store.ts';

export function createMemoryStore(options: Required<CacheOptions>): CacheStore {
  const { maxCopies, maxCopyBytes, clock } = options;
  const newValues = () =>
    new LRUCache<string, { readonly raw: Raw; readonly expiresAtMs: number }>({
      max: maxCopies,
      maxSize: maxCopyBytes,
      sizeCalculation: ({ raw }) => sizeOf(raw),
    });
  const values = { recentMessages: newValues(), channel: newValues(), members: newValues() };
  const heads = new LRUCache<string, number>({ max: maxCopies * viewNames.length });

  const remove = (views: readonly ViewName[], channelId: string) => {
    for (const view of views) values[view].delete(channelId);
  };
  const raiseHead = (channelId: string, head: number) => {
    heads.set(channelId, Math.max(head, heads.get(channelId) ?? 0));
  };

  return {
    keyOf: () => null,
    async lookup(view, channelId) {
      const value = values[view].get(channelId);
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
      values[view].set(channelId, { raw, expiresAtMs: clock() + viewTtlMs[view] });
      return 'filled';
    },
    async discard(view, channelId) {
      remove([view], channelId);
    },
    async drop(channels, forgetHeads) {
      for (const { channelId, head } of channels) {
        remove(viewNames, channelId);
        if (forgetHeads) heads.delete(channelId);
        else if (head !== undefined) raiseHead(channelId, head);
      }
    },
    onEvent(views, channelId, seq) {
      remove(views, channelId);
      if (seq !== null) raiseHead(channelId, seq);
    },
  };
}
