import type { ChatStore } from '@openclaw/chat-store';
import { isDirectChannelId } from '@openclaw/protocol';
import { asHub } from '../methods/store-methods.ts';

/** The names of channels, as new as a minute. */
export interface ChannelNames {
  /** The names of these channels; what has none, or is not known, is absent. Never rejects. */
  of(channelIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

const keptMs = 60_000;
const maxKept = 500;

/** Creates an empty memory of names, over the store. */
export function createChannelNames(store: Pick<ChatStore, 'read'>): ChannelNames {
  const kept = new Map<string, { readonly name: string | null; readonly atMs: number }>();

  async function read(channelId: string): Promise<string | null> {
    const known = kept.get(channelId);
    if (known && performance.now() - known.atMs < keptMs) return known.name;
    const found = await store.read(asHub, 'channel.get', { channelId }, null);
    const name = found.ok ? found.result.channel.name : (known?.name ?? null);
    kept.delete(channelId);
    kept.set(channelId, { name, atMs: performance.now() });
    const [oldest] = kept.keys();
    if (kept.size > maxKept && oldest !== undefined) kept.delete(oldest);
    return name;
  }

  return {
    async of(channelIds) {
      const asked = channelIds.filter((channelId) => !isDirectChannelId(channelId));
      const pairs = await Promise.all(asked.map(async (id) => [id, await read(id)] as const));
      return new Map(pairs.flatMap(([id, name]) => (name === null ? [] : [[id, name] as const])));
    },
  };
}
