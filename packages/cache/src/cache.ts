import { checkId, createKeySchema, type KeySchema, type RedisKey } from '@openclaw/key-schema';
import { type RedisClient, resolveOptions } from '@openclaw/redis-client';
import { channelCodec, membersCodec, recentMessagesCodec } from './codec.ts';
import { type CachedValues, createCachedValues } from './cached-values.ts';
import { CacheError } from './errors.ts';
import { createMemoryStore } from './memory-store.ts';
import { createMemoryValueStore } from './memory-value-store.ts';
import { cacheDefaults, type CacheOptions } from './options.ts';
import { createRedisStore } from './redis-store.ts';
import { createRedisValueStore } from './redis-value-store.ts';
import { type ViewName, viewNames } from './store.ts';
import { type CachedView, createView } from './view.ts';

/** A channel to drop. With `head`, values that were loaded at a lower head cannot fill the cache any more. */
export type DroppedChannel = string | { readonly channelId: string; readonly head: number };

/**
 * A read-through cache of the most frequently read values of a channel. It never serves a value that a published event
 * invalidated. Methods fail with a `KeySchemaError` for a channelId that cannot be part of a key.
 */
export interface Cache<Channel extends { readonly head: number }, Message extends object> {
  /** The newest messages, oldest first, at most 50; kept 300 s. */
  readonly recentMessages: CachedView<readonly Message[]>;
  /** The channel object; kept 3600 s. Its `head` is the current head, not the head at the time of the fill. */
  readonly channel: CachedView<Channel>;
  /** The agentIds of the members, unordered; kept 3600 s. Do not use them to decide rights. */
  readonly members: CachedView<readonly string[]>;
  /** Any other values, under names that the application chooses. Events do not invalidate them. */
  readonly values: CachedValues;
  /**
   * The keys that an event of this type invalidates. The publisher must delete them in the same atomic step in which it
   * raises `seq:messages:{channelId}`. Empty without Redis.
   */
  invalidates(type: string, channelId: string): RedisKey[];
  /**
   * All keys of the channel. The publisher must delete them when it raises `seq:messages:{channelId}` by more than one,
   * because the skipped events may have invalidated any of them. Empty without Redis.
   */
  keysOf(channelId: string): RedisKey[];
  /**
   * Call it for each event that this process publishes or receives; nothing else invalidates a cache without Redis.
   * Drops the invalidated copies in memory and discards the results of loads in progress. Does not access Redis.
   */
  invalidateFor(type: string, channelId: string, seq: number | null): void;
  /** Drops this process' copies of a channel. Call it when the process begins to follow the channel. */
  forget(channelId: string): void;
  /**
   * Drops all cached values of the channels, in pipelines of 1,000. Call it for events that did not arrive over the
   * bus. `head` keeps readers that loaded at a lower head from filling the cache. `forgetHeads` also deletes
   * `seq:messages:{channelId}`, for a restored database.
   * @throws {CacheError} `unavailable` when Redis did not execute it
   */
  drop(
    channels: readonly DroppedChannel[],
    options?: { readonly forgetHeads?: boolean },
  ): Promise<void>;
  /** Waits for fills in progress. Does not close the Redis client. */
  close(): Promise<void>;
}

/** Without `redis`, the cache is in the memory of this process. */
export interface CacheDeps {
  readonly redis?: RedisClient;
  /** @default createKeySchema() */
  readonly keys?: KeySchema;
}

/** Creates a cache on Redis, or in memory without it. @throws {CacheError} `invalid_options` */
export function createCache<Channel extends { readonly head: number }, Message extends object>(
  { redis, keys = createKeySchema() }: CacheDeps = {},
  options: CacheOptions = {},
): Cache<Channel, Message> {
  const settings = resolveOptions(cacheDefaults, options, CacheError);
  const store = redis ? createRedisStore(redis, keys) : createMemoryStore(settings);
  const { values, settled } = createCachedValues(
    redis ? createRedisValueStore(redis, keys) : createMemoryValueStore(settings),
    settings,
  );
  const recentMessages = recentMessagesCodec<Message>(settings);
  const views = {
    recentMessages: createView('recentMessages', recentMessages, store, settings),
    channel: createView('channel', channelCodec<Channel>(settings), store, settings),
    members: createView('members', membersCodec(settings), store, settings),
  };
  const forget = (channelId: string) => {
    for (const view of viewNames) views[view].invalidate(channelId);
  };
  const keysOf = (names: readonly ViewName[], channelId: string): RedisKey[] => {
    checkId(channelId);
    return names.flatMap((view) => store.keyOf(view, channelId) ?? []);
  };

  return {
    ...views,
    values,
    invalidates: (type, channelId) => keysOf(invalidatedViews(type), channelId),
    keysOf: (channelId) => keysOf(viewNames, channelId),
    invalidateFor(type, channelId, seq) {
      const invalidated = invalidatedViews(type);
      for (const view of viewNames) {
        if (invalidated.includes(view)) views[view].invalidate(channelId);
        else if (seq !== null) views[view].raiseHead(channelId, seq);
      }
      store.onEvent(invalidated, channelId, seq);
    },
    forget,
    async drop(channels, { forgetHeads = false } = {}) {
      const dropped = channels.map((one) => (typeof one === 'string' ? { channelId: one } : one));
      for (const { channelId } of dropped) checkId(channelId);
      for (const { channelId } of dropped) forget(channelId);
      await store.drop(dropped, forgetHeads);
    },
    async close() {
      await Promise.all([settled(), ...viewNames.map((view) => views[view].settled())]);
    },
  };
}

/** @throws {CacheError} `invalid_options` */
export function createMemoryCache<
  Channel extends { readonly head: number },
  Message extends object,
>(options: CacheOptions = {}): Cache<Channel, Message> {
  return createCache({}, options);
}

const recent = ['recentMessages'] as const;
const channel = ['channel'] as const;
const members = ['members'] as const;
const none = [] as const;

const viewsByType: Readonly<Record<string, readonly ViewName[]>> = {
  'channel.message': recent,
  'channel.message.edit': recent,
  'channel.message.delete': recent,
  'channel.reaction.add': recent,
  'channel.reaction.remove': recent,
  'thread.create': recent,
  'thread.update': recent,
  'thread.message': recent,
  'channel.member.join': members,
  'channel.member.leave': members,
  'channel.member.update': members,
  'channel.update': channel,
  'channel.archive': channel,
  'channel.delete': viewNames,
  'channel.typing': none,
  'channel.presence': none,
  'collaboration.event': none,
};

/** An unknown type invalidates all views, because a newer process may publish it. */
function invalidatedViews(type: string): readonly ViewName[] {
  return Object.hasOwn(viewsByType, type) ? (viewsByType[type] ?? viewNames) : viewNames;
}
