import { CodedError } from '@openclaw/redis-client';

/**
 * - `invalid_options`: at creation.
 * - `invalid_load`: a loader returned no head (a non-negative integer).
 * - `unavailable`: Redis did not carry out a drop; repeat it when Redis is back.
 */
export type CacheErrorCode = 'invalid_options' | 'invalid_load' | 'unavailable';

/** The error of this package; branch on `code`. A read never fails because of Redis: it then uses the loader. */
export class CacheError extends CodedError<CacheErrorCode> {
  override readonly name = 'CacheError';
}
