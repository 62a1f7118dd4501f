import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import { createRedisClient, type RedisClient } from '@openclaw/redis-client';
import { randomPrefix, waitFor } from '@openclaw/test-support';
import type { EventBus } from '../event-bus.ts';
import {
  createRedisEventBus,
  type RedisEventBusDeps,
  type RedisEventBusOptions,
} from '../redis-event-bus.ts';

export interface RedisProcess {
  readonly redis: RedisClient;
  readonly bus: EventBus;
}

export interface RedisSystem {
  readonly keys: KeySchema;
  start(options?: RedisEventBusOptions, deps?: Partial<RedisEventBusDeps>): Promise<RedisProcess>;
  close(): Promise<void>;
}

export function createRedisSystem(
  url: string,
  keys = createKeySchema({ prefix: randomPrefix() }),
): RedisSystem {
  const clients: RedisClient[] = [];
  const buses: EventBus[] = [];
  return {
    keys,
    async start(options, deps) {
      const redis = createRedisClient({ url });
      clients.push(redis);
      await waitFor(() => redis.available && redis.subscriber.connected, {
        what: 'the connection',
      });
      const bus = createRedisEventBus({ redis, keys, ...deps }, options);
      buses.push(bus);
      return { redis, bus };
    },
    async close() {
      await Promise.all(buses.map((bus) => bus.close()));
      await Promise.all(clients.map((redis) => redis.close()));
    },
  };
}
