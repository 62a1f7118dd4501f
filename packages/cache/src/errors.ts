/**
 * What went wrong:
 * - `invalid_options`: at creation
 * - `invalid_load`: a loader answered no head (an integer from 0 on)
 * - `unavailable`: Redis did not carry out a drop; drop again when it is back
 */
export type CacheErrorCode = 'invalid_options' | 'invalid_load' | 'unavailable';

/** The one error class of this package; branch on `code`. Reads never fail for Redis: they go to the loader. */
export class CacheError extends Error {
  override readonly name = 'CacheError';
  readonly code: CacheErrorCode;

  constructor(code: CacheErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
