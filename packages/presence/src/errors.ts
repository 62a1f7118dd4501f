import { isDenied } from '@openclaw/redis-client';

/**
 * - `invalid_options`: at creation.
 * - `invalid_argument`: a status, text, limit or cursor that is not allowed. A bad id is a `KeySchemaError`.
 * - `full`: the tracker, or the memory store, already holds `maxLeases`.
 * - `unavailable`: Redis is away or did not answer in time; see `cause`. The call may have taken effect.
 * - `closed`: after `close()`.
 */
export type PresenceErrorCode =
  'invalid_options' | 'invalid_argument' | 'full' | 'unavailable' | 'closed';

/** The error of this package; branch on `code`. */
export class PresenceError extends Error {
  override readonly name = 'PresenceError';
  readonly code: PresenceErrorCode;

  constructor(code: PresenceErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** True when an ACL denies presence a command or a key. Every call then fails until the rules change. */
export function isDeniedCall(error: unknown): boolean {
  return error instanceof PresenceError && isDenied(error.cause);
}

/** Wraps an error of the Redis client. */
export function toUnavailable(cause: unknown): PresenceError {
  if (cause instanceof PresenceError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PresenceError('unavailable', `presence could not reach Redis: ${reason}`, cause);
}
