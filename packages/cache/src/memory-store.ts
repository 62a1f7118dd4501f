import { LRUCache } from 'lru-cache';
import { isNameId, KeySchemaError } from '@openclaw/key-schema';
import type { Raw } from './codec.ts';
import { sizeOf } from './copies.ts';
import type { CacheOptions } from './options.ts';
import type { CacheStore } from './store.ts';
import { type ViewName, viewNames, viewTtlMs } from './views.ts';

interface Kept {
  readonly raw: Raw;
  readonly expiresAtMs: number;
}

/** Values in this process' memory, for a system without Redis: bounded, and by the same rules as in Redis. */
export function createMemoryStore(options: Required<CacheOptions>): CacheStore {
  const { maxCopies, maxCopyBytes, clock } = options;
  const kept = new Map<ViewName, LRUCache<string, Kept>>();
  for (const view of viewNames) {
    kept.set(
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
    for (const view of views) kept.get(view)?.delete(channelId);
  };
  const raise = (channelId: string, head: number) => {
    heads.set(channelId, Math.max(head, heads.get(channelId) ?? 0));
  };

  return {
    async lookup(view, channelId) {
      if (!isNameId(channelId))
        throw new KeySchemaError('invalid_id', `not usable: ${JSON.stringify(channelId)}`);
      const value = kept.get(view)?.get(channelId);
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
      kept.get(view)?.set(channelId, { raw, expiresAtMs: clock() + viewTtlMs[view] });
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
        else if (typeof channel !== 'string') raise(channelId, channel.head);
      }
    },
    noticed(views, channelId, seq) {
      remove(views, channelId);
      if (seq !== null) raise(channelId, seq);
    },
  };
}
