import { createCache } from '@openclaw/cache';
import { createRedisClient } from '@openclaw/redis-client';
import type { RedisServer } from '@openclaw/test-support';
import { createBento } from './bentocache.ts';
import type { Comparison, Contestant } from './contestant.ts';

const channels = 100;
const channelOf = (at: number) => `channel-${at % channels}`;
const messages = Array.from({ length: 50 }, (_, index) => ({
  id: `message-${index}`,
  content: 'lorem ipsum '.repeat(17),
}));

async function bento({ port }: RedisServer, hasMemory: boolean): Promise<Contestant | string> {
  const cache = await createBento({ host: '127.0.0.1', port }, { hasMemory });
  if (typeof cache === 'string') return cache;
  return {
    name: hasMemory ? 'bentocache, memory before Redis' : 'bentocache, Redis',
    promise: hasMemory
      ? 'other processes’ copies may be old unless a bus tells them'
      : 'a slow reader can write back what was invalidated meanwhile',
    operate: (at) =>
      cache.getOrSet({ key: channelOf(at), ttl: '5m', factory: async () => messages }),
    [Symbol.asyncDispose]: () => cache.disconnectAll(),
  };
}

export const cacheHits: Comparison = {
  name: 'cache, hits',
  description: `reads the 50 newest messages of one of ${channels} channels`,
  concurrency: 50,
  contestants: [
    async ({ url }): Promise<Contestant> => {
      const redis = createRedisClient({ url });
      await redis.ready();
      const cache = createCache({ redis });
      const load = async () => ({ head: 1, value: messages });
      return {
        name: '@openclaw/cache',
        promise: 'no read returns what a committed event invalidated',
        operate: (at) => cache.recentMessages.read(channelOf(at), load),
        async [Symbol.asyncDispose]() {
          await cache.close();
          await redis.close();
        },
      };
    },
    (redis) => bento(redis, false),
    (redis) => bento(redis, true),
  ],
};
