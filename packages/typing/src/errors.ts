import { isDenied } from '@openclaw/redis-client';

/**
 * - `invalid_options`: at creation.
 * - `unavailable`: Redis is away, refused, or did not answer in time; see `cause`. The call may have taken effect.
 * - `closed`: after `close()`.
 */
export type TypingErrorCode = 'invalid_options' | 'unavailable' | 'closed';

/** The error of this package; branch on `code`. A bad id is a `KeySchemaError`. */
export class TypingError extends Error {
  override readonly name = 'TypingError';
  readonly code: TypingErrorCode;

  constructor(code: TypingErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** True when an ACL denies typing a command or a key. */
export function isDeniedCall(error: unknown): boolean {
  return error instanceof TypingError && isDenied(error.cause);
}

/** Wraps an error of the Redis client. */
export function toUnavailable(cause: unknown): TypingError {
  if (cause instanceof TypingError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TypingError('unavailable', `typing could not reach Redis: ${reason}`, cause);
}
