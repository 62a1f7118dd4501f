import type { KeySchema, RedisKey } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import { channelCodec, membersCodec, recentMessagesCodec } from './codec.ts';
import { createMemoryStore } from './memory-store.ts';
import { type CacheOptions, resolveOptions } from './options.ts';
import { createRedisStore, viewKey } from './redis-store.ts';
import type { CacheStore, Dropped } from './store.ts';
import { type CachedView, createView } from './view.ts';
import { invalidatedViews, type ViewName, viewNames } from './views.ts';

/**
 * A read-through cache of what is read most of a channel. It is never the truth: losing it costs a load. It does not
 * serve what a published event outdated, and a slow reader cannot write that back.
 */
export interface Cache<Channel extends { readonly head: number }, Message extends object> {
  /** The newest messages, oldest first, at most 50; kept 300 s. */
  readonly recentMessages: CachedView<readonly Message[]>;
  /** The channel object; kept 3600 s. Its `head` is the channel's now, not that of the fill. */
  readonly channel: CachedView<Channel>;
  /** The agentIds of the members, in no order; kept 3600 s. No rights may be decided from them. */
  readonly members: CachedView<readonly string[]>;
  /**
   * The keys that an event of this type outdates: whoever publishes it deletes them in the step that raises
   * `seq:messages:{channelId}`. An unknown type outdates all. Empty without Redis.
   */
  invalidates(type: string, channelId: string): RedisKey[];
  /**
   * Every key of the channel: to be deleted in the step that raises `seq:messages:{channelId}` by more than one, for
   * what the events in between outdated. Empty without Redis.
   */
  keysOf(channelId: string): RedisKey[];
  /**
   * Tells of each event that this process publishes or receives: drops the copies in memory that it outdates, and
   * loads under way neither fill the cache nor answer later reads. Touches no Redis. Without Redis it is the
   * invalidation itself.
   */
  invalidateFor(type: string, channelId: string, seq: number | null): void;
  /** Drops this process' copies of a channel: when it begins to follow the channel's events, having missed some. */
  forget(channelId: string): void;
  /**
   * Drops all that is cached of the channels, in pipelines of 1000: for events that were found in the log and not on
   * the bus. Give the head where it is known: it keeps readers that loaded before from filling again. `forgetHeads`
   * also deletes `seq:messages:{channelId}`, for a database that was restored to an earlier state.
   * @throws {CacheError} `unavailable` when Redis did not do it
   */
  drop(channels: readonly Dropped[], options?: { readonly forgetHeads?: boolean }): Promise<void>;
  /** Waits for fills under way. The Redis client is its creator's to close. */
  close(): Promise<void>;
}

/** What {@link createCache} keeps its values in. */
export interface CacheDeps {
  readonly redis: RedisClient;
  readonly keys: KeySchema;
}

/** Makes a cache on Redis, or in memory when there is none. @throws {CacheError} `invalid_options` */
export function createCache<Channel extends { readonly head: number }, Message extends object>(
  deps: CacheDeps | Record<string, never>,
  options: CacheOptions = {},
): Cache<Channel, Message> {
  if (!('redis' in deps) || deps.redis === undefined) return createMemoryCache(options);
  const { redis, keys } = deps as CacheDeps;
  return createCacheOn(createRedisStore(redis, keys), resolveOptions(options), (view, channelId) =>
    viewKey(keys, view, channelId),
  );
}

/** Makes a cache for one process without Redis: bounded, same rules. @throws {CacheError} `invalid_options` */
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
    for (const view of viewNames) views[view].outdate(channelId);
  };

  return {
    ...views,
    invalidates: (type, channelId) =>
      invalidatedViews(type).flatMap((view) => keyOf(view, channelId) ?? []),
    keysOf: (channelId) => viewNames.flatMap((view) => keyOf(view, channelId) ?? []),
    invalidateFor(type, channelId, seq) {
      const outdated = invalidatedViews(type);
      for (const view of viewNames) {
        if (outdated.includes(view)) views[view].outdate(channelId);
        else if (seq !== null) views[view].raise(channelId, seq);
      }
      store.noticed(outdated, channelId, seq);
    },
    forget,
    async drop(channels, { forgetHeads = false } = {}) {
      for (const channel of channels) {
        forget(typeof channel === 'string' ? channel : channel.channelId);
      }
      await store.drop(channels, forgetHeads);
    },
    async close() {
      await Promise.all(viewNames.map((view) => views[view].settled()));
    },
  };
}
