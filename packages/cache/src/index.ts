export { createCache, createMemoryCache } from './cache.ts';
export type { Cache, CacheDeps, DroppedChannel } from './cache.ts';
export { CacheError } from './errors.ts';
export type { CacheErrorCode } from './errors.ts';
export { cacheDefaults } from './options.ts';
export type { CacheOptions } from './options.ts';
export { viewNames } from './store.ts';
export type { ViewName } from './store.ts';
export type { CachedView, Loaded, StaleRead, ViewStats } from './view.ts';
