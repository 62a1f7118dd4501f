import { beforeEach } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import { randomPrefix } from '@openclaw/test-support';
import { createRedisLeaseStore } from '../index.ts';
import type { LeaseStoreOptions } from '../options.ts';
import { createRedisBench } from '../testing/redis-bench.ts';
import { presenceModelContract } from './lease-store-model.contract.ts';
import { presenceContract } from './lease-store.contract.ts';

const bench = createRedisBench('file');
let redis: RedisClient;
beforeEach(async () => {
  redis = await bench.connect();
});

const make = (hashTags: boolean) => (options: Required<LeaseStoreOptions>) =>
  createRedisLeaseStore(
    { redis, keys: createKeySchema({ prefix: randomPrefix(), hashTags }) },
    options,
  );

presenceContract('on Redis', make(false));
presenceContract('on Redis with hash tags', make(true));
presenceModelContract('on Redis', make(false), 60);
