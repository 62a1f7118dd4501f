import type { ErrorCode, RpcError } from '@openclaw/protocol';

/**
 * Why something failed: a refusal of the hub (its own code), or what only a client can know.
 * - `invalid`: the call was malformed; `data` holds the hub's issues.
 * - `disconnected`: the connection broke and the call cannot be repeated safely; it may have happened.
 * - `queue_full`: too many calls wait for the connection.
 * - `overflow`: a channel ended while an event stream's reader was too far behind to have been given all of it.
 * - `closed`: the client was closed, or the hub refused it for good.
 */
export type HubErrorCode =
  ErrorCode | 'invalid' | 'disconnected' | 'queue_full' | 'overflow' | 'closed';

/** What every promise and stream of the client rejects with. Branch on `code`. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: HubErrorCode;
  /** When trying again makes sense; null when the hub did not say. */
  readonly retryAfterMs: number | null;
  /** What the hub added: for `invalid`, the issues by field. */
  readonly data: unknown;

  constructor(
    code: HubErrorCode,
    message: string,
    more: { retryAfterMs?: number | null; data?: unknown; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.retryAfterMs = more.retryAfterMs ?? null;
    this.data = more.data ?? null;
  }
}

/** The hub's JSON-RPC error as a {@link HubError}. */
export function fromRpcError(error: RpcError): HubError {
  const { message } = error;
  if (error.code === -32_000) {
    const { code, retryAfterMs } = error.data;
    return new HubError(code, message, { retryAfterMs: retryAfterMs ?? null, data: error.data });
  }
  return new HubError('invalid', message, { data: 'data' in error ? error.data : null });
}

// Refusals that say nothing against what was asked.
const passing: ReadonlySet<HubErrorCode> = new Set<HubErrorCode>([
  'unavailable',
  'timeout',
  'internal',
  'rate_limited',
  'queue_full',
]);

/** Can the same be asked again a little later? */
export function isPassing(error: HubError): boolean {
  return passing.has(error.code);
}
