import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisClient } from '@openclaw/redis-client';
import { type RedisServer, startRedis, waitFor } from '@openclaw/test-support';
import { createCache } from './index.ts';

interface Channel {
  readonly channelId: string;
  readonly name: string;
  readonly head: number;
}
interface Message {
  readonly id: string;
  readonly content: string;
}

let server: RedisServer;
beforeAll(async () => void (server = await startRedis()));
afterAll(() => server.stop());

it('does what the README says', async () => {
  const redis = createRedisClient({ url: server.url });
  await waitFor(() => redis.available);
  const database = {
    newest: async (_channelId: string): Promise<readonly Message[]> => [
      { id: 'm1', content: 'hi' },
    ],
    head: async (_channelId: string) => 1,
  };

  const cache = createCache<Channel, Message>({ redis, keys: createKeySchema() });
  const { value, head } = await cache.recentMessages.read('ops', async () => {
    const head = await database.head('ops');
    return { head, value: await database.newest('ops') };
  });
  expect({ value, head }).toEqual({ value: [{ id: 'm1', content: 'hi' }], head: 1 });

  const outdated = cache.invalidates('channel.message', 'ops');
  expect(outdated).toEqual(['openclaw:messages:ops:recent']);
  cache.invalidateFor('channel.message', 'ops', 2);
  await cache.close();
  await redis.close();
});
