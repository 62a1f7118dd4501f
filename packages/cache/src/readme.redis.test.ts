import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createRedisClient } from '@openclaw/redis-client';
import { type RedisServer, startRedis, waitFor } from '@openclaw/test-support';
import { createCache } from './index.ts';

let server: RedisServer;
beforeAll(async () => void (server = await startRedis()));
afterAll(() => server.stop());

it('does what the README says', async () => {
  const redis = createRedisClient({ url: server.url });
  await waitFor(() => redis.available);
  const cache = createCache({ redis });
  const load = async () => ({ head: 1, value: [{ id: 'm1', content: 'hi' }] });
  const { value, head } = await cache.recentMessages.read('ops', load);
  expect({ value, head }).toEqual({ value: [{ id: 'm1', content: 'hi' }], head: 1 });
  expect(cache.invalidates('channel.message', 'ops')).toEqual(['openclaw:messages:ops:recent']);
  cache.invalidateFor('channel.message', 'ops', 2);
  await cache.close();
  await redis.close();
});
