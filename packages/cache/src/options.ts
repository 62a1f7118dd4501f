export interface CacheOptions {
  /** The most values of each view, such as the recent messages, in this process' memory. @default 1000 */
  readonly maxCopies?: number;
  /** The most bytes of each view's values in memory, counted as characters of JSON. @default 16777216 */
  readonly maxCopyBytes?: number;
  /** The most bytes of a cached value; a longer one is read but not cached. @default 1048576 */
  readonly maxValueBytes?: number;
  /** The most members of a cached list; a longer one is read but not cached. @default 10000 */
  readonly maxMembers?: number;
  /**
   * How long other processes wait for a load of `values.getOrSet` before they load the value themselves. At most 60000.
   * @default 10000
   */
  readonly loadTimeoutMs?: number;
  /** Returns false for a stored channel that is corrupt. @default any object is valid */
  readonly isChannel?: (value: object) => boolean;
  /** Returns false for a stored message that is corrupt. @default any object is valid */
  readonly isMessage?: (value: object) => boolean;
  /** Epoch milliseconds, for the age of copies and for expiry in memory. @default Date.now */
  readonly clock?: () => number;
}

export const cacheDefaults: Required<CacheOptions> = {
  maxCopies: 1000,
  maxCopyBytes: 16 * 1024 * 1024,
  maxValueBytes: 1024 * 1024,
  maxMembers: 10_000,
  loadTimeoutMs: 10_000,
  isChannel: () => true,
  isMessage: () => true,
  clock: Date.now,
};
