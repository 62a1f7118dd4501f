export type ChatStoreErrorCode =
  /** The database is down or does not answer. Nothing happened. */
  | 'unavailable'
  /** One agent has too many waiting calls. Nothing happened. */
  | 'rate_limited'
  /** The database did not answer in time. The call may still have taken effect. */
  | 'timeout'
  /** Another process holds the database's lock. */
  | 'locked'
  /** The file or its folder cannot be written. */
  | 'unwritable'
  /** The file is damaged or not an SQLite database. */
  | 'corrupt'
  /**
   * The server refused the user, the password or the database's name, or the server's TLS certificate is not accepted.
   */
  | 'unauthorized'
  /** A newer release has migrated this database, and this one cannot serve it. */
  | 'newer_schema'
  | 'invalid_options'
  | 'closed'
  /** A bug in this package. */
  | 'internal';

/** Branch on `code`. No message contains a secret. */
export class ChatStoreError extends Error {
  override readonly name = 'ChatStoreError';
  readonly code: ChatStoreErrorCode;
  /** When to try again, if that may help. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ChatStoreErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly retryAfterMs?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** An error that keeps the database from answering becomes `unavailable`. */
export function runtimeError(error: unknown): ChatStoreError {
  if (!(error instanceof ChatStoreError)) {
    return new ChatStoreError('internal', 'a bug in the chat store', { cause: error });
  }
  const { code, message, retryAfterMs = 1000 } = error;
  if (code === 'rate_limited') return error;
  if (code === 'timeout' || code === 'internal' || code === 'closed') return error;
  return new ChatStoreError('unavailable', message, { cause: error, retryAfterMs });
}
