/**
 * What went wrong, in the caller's terms:
 * - `unavailable`: the connection is down, the breaker is open, or the server cannot serve now (READONLY, LOADING,
 *   CLUSTERDOWN) or takes no writes (OOM, MISCONF, NOREPLICAS). When the connection broke before the answer came, the
 *   command may have run.
 * - `timeout`: sent, but not answered in time; it may have run, and it is never sent again.
 * - `rejected`: Redis answered with an error (WRONGTYPE, NOPERM, a script's own); says nothing about the connection.
 * - `unsupported`: cannot work on this kind of Redis (pattern subscription on Cluster).
 * - `invalid_options`: at creation, or a name in the environment that cannot be read.
 * - `closed`: {@link RedisClient.close} was called.
 */
export type RedisClientErrorCode =
  'unavailable' | 'timeout' | 'unsupported' | 'rejected' | 'invalid_options' | 'closed';

/** The only error that this package throws or rejects with; branch on `code`. */
export class RedisClientError extends Error {
  override readonly name = 'RedisClientError';
  readonly code: RedisClientErrorCode;

  constructor(code: RedisClientErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

// Answers by which a server says "not me" or "not now": another attempt, elsewhere or later, may succeed.
const outageReply =
  /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|OOM|MISCONF|NOREPLICAS|MOVED|ASK|UNKILLABLE)\b/;

/** Turns whatever ioredis rejected with into a {@link RedisClientError}. */
export function toClientError(error: unknown): RedisClientError {
  if (error instanceof RedisClientError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  // A reply error carries the command with its arguments: message texts that no log should hold.
  if ('command' in cause) delete cause.command;
  const { message } = cause;
  if (message === 'Command timed out')
    return new RedisClientError('timeout', 'Redis did not answer in time', cause);
  if (cause.name === 'ReplyError') {
    return new RedisClientError(
      outageReply.test(message) ? 'unavailable' : 'rejected',
      message,
      cause,
    );
  }
  return new RedisClientError('unavailable', `Redis is unavailable: ${message}`, cause);
}

/** Whether the error speaks of the connection or the server's state and not of one command. */
export function isOutage(error: unknown): error is RedisClientError {
  return (
    error instanceof RedisClientError && (error.code === 'unavailable' || error.code === 'timeout')
  );
}

/**
 * Why a server that answers takes no writes: its memory is full and it may not evict (OOM), it cannot save and was told
 * to stop then (MISCONF), too few replicas follow it (NOREPLICAS), or it is a replica itself (READONLY).
 */
export type WriteRefusal = 'OOM' | 'MISCONF' | 'NOREPLICAS' | 'READONLY';

/** The reason why the server takes no writes at all, by this error; null when the error says nothing about that. */
export function writeRefusalOf(error: unknown): WriteRefusal | null {
  if (!(error instanceof RedisClientError)) return null;
  const found = /^(OOM|MISCONF|NOREPLICAS|READONLY)\b/.exec(error.message);
  return (found?.[1] as WriteRefusal | undefined) ?? null;
}

/**
 * True when an ACL denies this user a command, a key or a topic, in a script too. It says nothing about other calls, and
 * trying again does not help until the server's rules change.
 */
export function isDenied(error: unknown): boolean {
  return (
    error instanceof RedisClientError &&
    /^(NOPERM|NOAUTH|ERR The user executing the script|ERR ACL failure)\b/.test(error.message)
  );
}

// Also as the last word when ioredis has followed the servers' directions for long enough.
const slotReply =
  /(?:^|Too many Cluster redirections\. Last error: ReplyError: )(?:TRYAGAIN|ASK|MOVED)\b/;

/**
 * Whether living servers answered that a slot is on its way from one to another. The call failed as in an outage, but
 * it says nothing about the connection: other slots are served as ever.
 */
export function isSlotMoving(error: unknown): boolean {
  if (!isOutage(error)) return false;
  return slotReply.test(error.cause instanceof Error ? error.cause.message : error.message);
}
