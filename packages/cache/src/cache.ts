import { createKeySchema, type KeySchema, type RedisKey } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import { channelCodec, membersCodec, recentMessagesCodec } from './codec.ts';
import { createMemoryStore } from './memory-store.ts';
import { type CacheOptions, resolveOptions } from './options.ts';
import { createRedisStore, viewKey } from './redis-store.ts';
import type { CacheStore, DroppedChannel } from './store.ts';
import { type CachedView, createView } from './view.ts';
import { checkChannelId, invalidatedViews, type ViewName, viewNames } from './views.ts';

/**
 * A read-through cache of the values of a channel that are read most. Losing it costs a load. It never serves a value
 * that a published event invalidated, and a slow reader cannot write such a value back. `read`, `drop`, `invalidates` and
 * `keysOf` fail with a `KeySchemaError` for a channelId that cannot be part of a key.
 */
export interface Cache<Channel extends { readonly head: number }, Message extends object> {
  /** The newest messages, oldest first, at most 50; kept 300 s. */
  readonly recentMessages: CachedView<readonly Message[]>;
  /** The channel object; kept 3600 s. Its `head` is the current one, not that of the fill. */
  readonly channel: CachedView<Channel>;
  /** The agentIds of the members, unordered; kept 3600 s. Never decide rights from them. */
  readonly members: CachedView<readonly string[]>;
  /**
   * The keys that an event of this type invalidates. The publisher deletes them in the step that raises
   * `seq:messages:{channelId}`. An unknown type invalidates all. Empty without Redis.
   */
  invalidates(type: string, channelId: string): RedisKey[];
  /**
   * Every key of the channel. The publisher deletes them in the step that raises `seq:messages:{channelId}` by more than
   * one, because the skipped events may have invalidated any of them. Empty without Redis.
   */
  keysOf(channelId: string): RedisKey[];
  /**
   * Call it for each event that this process publishes or receives. Drops the copies in memory that the event
   * invalidates; loads under way neither fill the cache nor answer later reads. Does not access Redis. Without Redis it
   * is the invalidation itself.
   */
  invalidateFor(type: string, channelId: string, seq: number | null): void;
  /** Drops this process' copies of a channel. Call it when the process begins to follow the channel: it missed events. */
  forget(channelId: string): void;
  /**
   * Drops everything cached of the channels, in pipelines of 1,000, because their events were found in the log and did
   * not come over the bus. With a head, a reader that loaded before that event cannot fill the cache. `forgetHeads` also
   * deletes `seq:messages:{channelId}`, for a database that was restored to an earlier state.
   * @throws {CacheError} `unavailable` when Redis did not carry it out
   */
  drop(
    channels: readonly DroppedChannel[],
    options?: { readonly forgetHeads?: boolean },
  ): Promise<void>;
  /** Waits for fills under way. The Redis client is its creator's to close. */
  close(): Promise<void>;
}

/** Without `redis`, the cache is kept in memory, for this process alone. */
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
  if (!redis) return createMemoryCache(options);
  return createCacheOn(createRedisStore(redis, keys), resolveOptions(options), (view, channelId) =>
    viewKey(keys, view, channelId),
  );
}

/** Creates a bounded cache in memory, for one process. @throws {CacheError} `invalid_options` */
export function createMemoryCache<
  Channel extends { readonly head: number },
  Message extends object,
>(options: CacheOptions = {}): Cache<Channel, Message> {
  const settings = resolveOptions(options);
  return createCacheOn(createMemoryStore(settings), settings, () => null);
}

function createCacheOn<Channel extends { readonly head: number }, Message extends object>(
  store: CacheStore,
  options: Required<CacheOptions>,
  keyOf: (view: ViewName, channelId: string) => RedisKey | null,
): Cache<Channel, Message> {
  const views = {
    recentMessages: createView(
      'recentMessages',
      recentMessagesCodec<Message>(options),
      store,
      options,
    ),
    channel: createView('channel', channelCodec<Channel>(options), store, options),
    members: createView('members', membersCodec(options), store, options),
  };
  const forget = (channelId: string) => {
    for (const view of viewNames) views[view].invalidate(channelId);
  };
  const keysOf = (names: readonly ViewName[], channelId: string): RedisKey[] => {
    checkChannelId(channelId);
    return names.flatMap((view) => keyOf(view, channelId) ?? []);
  };

  return {
    ...views,
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
      const channelIds = channels.map((one) => (typeof one === 'string' ? one : one.channelId));
      channelIds.forEach(checkChannelId);
      channelIds.forEach(forget);
      await store.drop(channels, forgetHeads);
    },
    async close() {
      await Promise.all(viewNames.map((view) => views[view].settled()));
    },
  };
}
