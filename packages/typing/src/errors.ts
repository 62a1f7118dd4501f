import { isDenied } from '@openclaw/redis-client';

/**
 * - `invalid_options`: at creation.
 * - `unavailable`: Redis is away, refused, or did not answer in time; `cause` says more. It may have taken effect.
 * - `closed`: after `close()`.
 */
export type TypingErrorCode = 'invalid_options' | 'unavailable' | 'closed';

/** What this package throws or rejects with, beside key-schema's error for a bad id; branch on `code`. */
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

/** Whatever Redis' client failed with, as this package's own. */
export function toUnavailable(cause: unknown): TypingError {
  if (cause instanceof TypingError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TypingError('unavailable', `typing could not reach Redis: ${reason}`, cause);
}
