import { CacheError } from './errors.ts';

/** Options of {@link createCache} and {@link createMemoryCache}. */
export interface CacheOptions {
  /** The most channels per view of which this process keeps a copy in memory. @default 1000 */
  readonly maxCopies?: number;
  /** The most bytes (JSON characters) per view that those copies take. @default 16777216 */
  readonly maxCopyBytes?: number;
  /** A longer value is read but not cached. @default 1048576 */
  readonly maxValueBytes?: number;
  /** A longer list of members is read but not cached. @default 10000 */
  readonly maxMembers?: number;
  /** Whether what the cache holds is a channel; what is not counts as corrupt. @default any object */
  readonly isChannel?: (value: object) => boolean;
  /** Whether what the cache holds is a message; what is not counts as corrupt. @default any object */
  readonly isMessage?: (value: object) => boolean;
  /** Epoch milliseconds: the age of copies, and expiry without Redis. @default Date.now */
  readonly clock?: () => number;
}

/** The defaults of {@link CacheOptions}. */
export const cacheDefaults: Required<CacheOptions> = {
  maxCopies: 1000,
  maxCopyBytes: 16 * 1024 * 1024,
  maxValueBytes: 1024 * 1024,
  maxMembers: 10_000,
  isChannel: () => true,
  isMessage: () => true,
  clock: Date.now,
};

/** Fills in the defaults. @throws {CacheError} `invalid_options` */
export function resolveOptions(options: CacheOptions): Required<CacheOptions> {
  const resolved = { ...cacheDefaults };
  for (const name of Object.keys(cacheDefaults) as (keyof CacheOptions)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value === 'number' && !(Number.isSafeInteger(value) && value > 0)) {
      throw new CacheError('invalid_options', `${name} must be a positive integer, not ${value}`);
    }
    Object.assign(resolved, { [name]: value });
  }
  return resolved;
}
