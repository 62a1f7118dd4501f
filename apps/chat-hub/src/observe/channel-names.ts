import type { ChatStore } from '@openclaw/chat-store';
import { isDirectChannelId } from '@openclaw/protocol';
import { LRUCache } from 'lru-cache';
import { asHub } from '../methods/store-methods.ts';

/** The names of channels, at most a minute old. */
export interface ChannelNames {
  /** The names of these channels, without those that have no name or are unknown. Never rejects. */
  of(channelIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

const keptMs = 60_000;
const maxKept = 500;

/** Creates an empty cache of names over the store. */
export function createChannelNames(store: Pick<ChatStore, 'read'>): ChannelNames {
  const kept = new LRUCache<string, { readonly name: string | null; readonly atMs: number }>({
    max: maxKept,
  });

  async function read(channelId: string): Promise<string | null> {
    const known = kept.get(channelId);
    if (known && performance.now() - known.atMs < keptMs) return known.name;
    const found = await store.read(asHub, 'channel.get', { channelId }, null);
    const name = found.ok ? found.result.channel.name : (known?.name ?? null);
    kept.set(channelId, { name, atMs: performance.now() });
    return name;
  }

  return {
    async of(channelIds) {
      const rooms = channelIds.filter((channelId) => !isDirectChannelId(channelId));
      const pairs = await Promise.all(rooms.map(async (id) => [id, await read(id)] as const));
      return new Map(pairs.flatMap(([id, name]) => (name === null ? [] : [[id, name] as const])));
    },
  };
}
