import { CodedError } from '@openclaw/redis-client';

/**
 * - `invalid_options`: at creation.
 * - `invalid_argument`: a status, text, limit or cursor that is not allowed. A bad id is a `KeySchemaError`.
 * - `full`: the tracker, or the memory store, already holds `maxLeases`.
 * - `unavailable`: Redis is away or did not answer in time; see `cause`. The call may have taken effect.
 * - `closed`: after `close()`.
 */
export type PresenceErrorCode =
  'invalid_options' | 'invalid_argument' | 'full' | 'unavailable' | 'closed';

/** Branch on `code`. */
export class PresenceError extends CodedError<PresenceErrorCode> {
  override readonly name = 'PresenceError';
}
