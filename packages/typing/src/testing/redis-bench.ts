import { beforeAll, beforeEach } from '@jest/globals';
import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import { createRedisClient, type RedisClient } from '@openclaw/redis-client';
import { randomPrefix, startRedis, waitFor } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';

export interface RedisBench {
  readonly redis: RedisClient;
  /** Keys with a prefix that no other test has. */
  readonly keys: KeySchema;
}

/** A Redis server with one client for the tests of one file. Call it at the top of the file. */
export function createRedisBench(): RedisBench {
  const suite = suiteScope();
  let redis: RedisClient;
  let keys: KeySchema;
  beforeAll(async () => {
    const server = await suite.use(startRedis());
    redis = createRedisClient({ url: server.url });
    suite.defer(() => redis.close());
    await waitFor(() => redis.available);
  });
  beforeEach(() => {
    keys = createKeySchema({ prefix: randomPrefix() });
  });
  return {
    get redis() {
      return redis;
    },
    get keys() {
      return keys;
    },
  };
}
