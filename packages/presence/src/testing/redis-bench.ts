import { beforeAll, beforeEach } from '@jest/globals';
import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import {
  createRedisClient,
  type RedisClient,
  type RedisClientOptions,
} from '@openclaw/redis-client';
import { randomPrefix, startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import { suiteScope, testScope } from '@openclaw/test-support/scopes';

/** For the tests of one file. After each test, the clients are closed and the cleanups run, the last first. */
export interface RedisBench {
  readonly server: RedisServer;
  readonly keys: KeySchema;
  /** Does not wait for the connection. @default a client of the server */
  open(options?: RedisClientOptions): RedisClient;
  connect(options?: RedisClientOptions): Promise<RedisClient>;
  defer(cleanup: () => unknown): void;
}

/** Call it at the top of a file. Use `test` if a test stops or changes its server. */
export function createRedisBench(serverFor: 'file' | 'test'): RedisBench {
  const scope = testScope();
  let server: RedisServer;
  let keys: KeySchema;
  if (serverFor === 'file') {
    const suite = suiteScope();
    beforeAll(async () => {
      server = await suite.use(startRedis());
    });
  }
  beforeEach(async () => {
    if (serverFor === 'test') server = await scope.use(startRedis());
    keys = createKeySchema({ prefix: randomPrefix() });
  });

  function open(options: RedisClientOptions = { url: server.url }): RedisClient {
    const client = createRedisClient(options);
    scope.defer(() => client.close());
    return client;
  }
  return {
    get server() {
      return server;
    },
    get keys() {
      return keys;
    },
    open,
    async connect(options) {
      const client = open(options);
      await waitFor(() => client.available);
      return client;
    },
    defer: (cleanup) => scope.defer(cleanup),
  };
}
