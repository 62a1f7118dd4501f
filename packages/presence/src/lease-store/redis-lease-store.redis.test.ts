import { afterAll, beforeAll } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisClient, type RedisClient } from '@openclaw/redis-client';
import { randomPrefix, startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import { createRedisLeaseStore } from '../index.ts';
import type { LeaseStoreOptions } from '../options.ts';
import { presenceModelContract } from './lease-store-model.contract.ts';
import { presenceContract } from './lease-store.contract.ts';

let server: RedisServer;
let redis: RedisClient;
beforeAll(async () => {
  server = await startRedis();
  redis = createRedisClient({ url: server.url });
  await waitFor(() => redis.available);
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});

const make = (hashTags: boolean) => (options: Required<LeaseStoreOptions>) =>
  createRedisLeaseStore(
    { redis, keys: createKeySchema({ prefix: randomPrefix(), hashTags }) },
    options,
  );

presenceContract('on Redis', make(false));
presenceContract('on Redis with hash tags', make(true));
presenceModelContract('on Redis', make(false), 60);
