import { CodedError } from '@openclaw/redis-client';

/**
 * - `invalid_options`: at creation.
 * - `invalid_argument`: a TTL out of bounds.
 * - `invalid_load`: a loader returned a head that is not a non-negative integer, or a value that JSON cannot carry.
 * - `load_timeout`: a load of `values.getOrSet` took more than `loadTimeoutMs`.
 * - `unavailable`: Redis did not execute a drop or a deletion; repeat the call when Redis is back.
 */
export type CacheErrorCode =
  'invalid_options' | 'invalid_argument' | 'invalid_load' | 'load_timeout' | 'unavailable';

/** Branch on `code`. A read never fails because of Redis. */
export class CacheError extends CodedError<CacheErrorCode> {
  override readonly name = 'CacheError';
}
