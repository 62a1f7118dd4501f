import { describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createTestDatabase, describeCache, type TestCache } from './cache.contract.ts';
import { createCache, createMemoryCache } from './cache.ts';

describe('the memory cache', () => {
  describeCache(createMemoryCache, async (cache, type, channelId, seq) => {
    cache.invalidateFor(type, channelId, seq);
  });

  it('TTL expiry: recent messages live 300 s, channel and members 3600 s', async () => {
    let nowMs = 1_700_000_000_000;
    const cache: TestCache = createMemoryCache({ clock: () => nowMs });
    const { state, recent, channel, members } = createTestDatabase();
    const readAll = async () => {
      await cache.recentMessages.read('ops', recent);
      await cache.channel.read('ops', channel);
      await cache.members.read('ops', members);
      await cache.close();
    };
    cache.invalidateFor('collaboration.event', 'ops', state.head);
    await readAll();
    const loadsAfter = async (ms: number) => {
      nowMs += ms;
      state.loads = 0;
      await readAll();
      return state.loads;
    };
    expect(await loadsAfter(299_999)).toBe(0);
    expect(await loadsAfter(1)).toBe(1);
    expect(await loadsAfter(3_300_000 - 1)).toBe(1);
    expect(await loadsAfter(1)).toBe(2);
  });

  it('is made by createCache without Redis, and has no keys to delete', () => {
    expect(createCache({}).invalidates('channel.message', 'ops')).toEqual([]);
    expect(createKeySchema().recentMessages('ops')).toBe('openclaw:messages:ops:recent');
  });
});
