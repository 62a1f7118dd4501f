import { CodedError } from '@openclaw/redis-client';

/**
 * - `invalid_options`: at creation.
 * - `unavailable`: Redis is away, refused, or did not answer in time; see `cause`. The call may have taken effect.
 * - `closed`: after `close()`.
 */
export type TypingErrorCode = 'invalid_options' | 'unavailable' | 'closed';

/** Branch on `code`. A bad id is a `KeySchemaError`. */
export class TypingError extends CodedError<TypingErrorCode> {
  override readonly name = 'TypingError';
}
