import type { KeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import { createBus } from './create-bus.ts';
import type { EventBus } from './event-bus.ts';
import { positiveInteger } from './options.ts';
import { createRedisTransport } from './redis-transport.ts';
import { Reporter, type EventsLogger } from './reporter.ts';

/** What {@link createRedisEventBus} works with. */
export interface RedisEventBusDeps {
  readonly redis: RedisClient;
  readonly keys: KeySchema;
  /** Told of failed publishes, failing handlers and foreign messages, once a second per kind. @default none */
  readonly logger?: EventsLogger;
}

/** Options of {@link createRedisEventBus}. */
export interface RedisEventBusOptions {
  /** Commands that may wait for Redis' answer; further publishes are rejected with `unavailable`. @default 10_000 */
  readonly maxPending?: number;
  /** Characters of JSON that may wait for Redis' answer. @default 16_777_216 */
  readonly maxPendingCharacters?: number;
  /** SPUBLISH in place of PUBLISH: what a client of a Cluster receives. @default as `keys.hashTags` */
  readonly sharded?: boolean;
  /** Now, in ms. @default Date.now */
  readonly clock?: () => number;
}

/**
 * Makes a bus over Redis pub/sub. One round trip carries all publishes of a tick; a subscription costs one at its
 * beginning and one at its end. With Redis away local handlers go on, publishes are rejected with `unavailable`, and
 * subscriptions take effect with the reconnect ({@link EventBus.onResubscribed}).
 * @throws {EventsError} `invalid_options`
 */
export function createRedisEventBus(
  { redis, keys, logger }: RedisEventBusDeps,
  options: RedisEventBusOptions = {},
): EventBus {
  const { maxPending = 10_000, maxPendingCharacters = 16 * 1024 * 1024 } = options;
  const reporter = new Reporter(logger, options.clock ?? Date.now);
  const transport = createRedisTransport({
    redis,
    keys,
    reporter,
    sharded: options.sharded ?? keys.hashTags,
    maxPending: positiveInteger('maxPending', maxPending),
    maxPendingCharacters: positiveInteger('maxPendingCharacters', maxPendingCharacters),
  });
  return createBus({ keys, transport, reporter });
}
