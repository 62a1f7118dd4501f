/**
 * - `unavailable`: the connection is down, the breaker is open, the server cannot serve now (READONLY, LOADING,
 *   CLUSTERDOWN) or takes no writes (OOM, MISCONF, NOREPLICAS). If the connection was lost before the answer, the command
 *   may have run.
 * - `timeout`: the command was sent, but not answered in time. It may have run. It is never sent again.
 * - `rejected`: Redis answered with an error (WRONGTYPE, NOPERM, a script's own). The connection is fine.
 * - `unsupported`: this kind of Redis cannot do it (pattern subscription on Cluster), or the command would take the shared
 *   connection from the other calls (BLPOP, SUBSCRIBE, MULTI). Nothing was sent.
 * - `invalid_options`: an option or a variable of the environment is invalid.
 * - `closed`: {@link RedisClient.close} was called.
 */
export type RedisClientErrorCode =
  'unavailable' | 'timeout' | 'unsupported' | 'rejected' | 'invalid_options' | 'closed';

/** The base of each package's error class. Branch on `code`. */
export class CodedError<Code extends string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export class RedisClientError extends CodedError<RedisClientErrorCode> {
  override readonly name = 'RedisClientError';
}

export function closedError(): RedisClientError {
  return new RedisClientError('closed', 'the Redis client is closed');
}

// After these answers, another server or a later attempt may succeed.
const outageReply =
  /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|OOM|MISCONF|NOREPLICAS|MOVED|ASK|UNKILLABLE)\b/;

export function toClientError(error: unknown): RedisClientError {
  if (error instanceof RedisClientError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  // ioredis adds the command's arguments, which may be texts of messages. No log may contain them.
  if ('command' in cause) delete cause.command;
  const { message } = cause;
  if (message === 'Command timed out')
    return new RedisClientError('timeout', 'Redis did not answer in time', cause);
  if (cause.name === 'ReplyError') {
    const code = outageReply.test(message) ? 'unavailable' : 'rejected';
    return new RedisClientError(code, message, cause);
  }
  return new RedisClientError('unavailable', `Redis is unavailable: ${message}`, cause);
}

/** A host with several addresses fails with an AggregateError, whose message is empty. */
export function reasonOf(error: Error): string {
  return error.message || ('code' in error ? String(error.code) : error.name);
}

export function toUnavailable<E extends Error>(
  ErrorClass: new (code: 'unavailable', message: string, cause: unknown) => E,
  cause: unknown,
): E {
  if (cause instanceof ErrorClass) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ErrorClass('unavailable', `could not reach Redis: ${reason}`, cause);
}

/** True when the error concerns the connection or server, and not one command. */
export function isOutage(error: unknown): error is RedisClientError {
  return (
    error instanceof RedisClientError && (error.code === 'unavailable' || error.code === 'timeout')
  );
}

/**
 * `OOM`: memory is full. `MISCONF`: the server cannot save. `NOREPLICAS`: too few replicas. `READONLY`: the server is a
 * replica.
 */
export type WriteRefusal = 'OOM' | 'MISCONF' | 'NOREPLICAS' | 'READONLY';

/** Null for any other error. */
export function writeRefusalOf(error: unknown): WriteRefusal | null {
  if (!(error instanceof RedisClientError)) return null;
  const found = /^(OOM|MISCONF|NOREPLICAS|READONLY)\b/.exec(error.message);
  return (found?.[1] as WriteRefusal | undefined) ?? null;
}

/**
 * True when an ACL denies a command, a key or a topic. A retry does not help, but other calls may still work. Also true
 * for another package's error with such a cause.
 */
export function isDenied(error: unknown): boolean {
  if (!(error instanceof RedisClientError))
    return error instanceof CodedError && isDenied(error.cause);
  return /^(NOPERM|NOAUTH|ERR The user executing the script|ERR ACL failure)\b/.test(error.message);
}

// The second form is ioredis' error after too many redirections.
const slotReply =
  /(?:^|Too many Cluster redirections\. Last error: ReplyError: )(?:TRYAGAIN|ASK|MOVED)\b/;

/** True when the call's slot is moving between two servers. The connection and the other slots are fine. */
export function isSlotMoving(error: unknown): boolean {
  if (!isOutage(error)) return false;
  return slotReply.test(error.cause instanceof Error ? error.cause.message : error.message);
}
