import type { ErrorCode, RpcError } from '@openclaw/protocol';
import { msFromHub } from './hub-times.ts';

/**
 * A code of the hub, or a code of the client:
 * - `invalid`: a call or an option is malformed; `data` holds the hub's issues.
 * - `disconnected`: the connection was lost and the call cannot be repeated safely. It may have taken effect.
 * - `queue_full`: too many calls are waiting.
 * - `overflow`: a channel ended before a slow reader of `events()` received all of it.
 * - `closed`: the client was closed.
 */
export type HubErrorCode =
  ErrorCode | 'invalid' | 'disconnected' | 'queue_full' | 'overflow' | 'closed';

/** The only error of this package, apart from an aborted signal's reason. Branch on `code`. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: HubErrorCode;
  /** At most an hour; null without advice from the hub. */
  readonly retryAfterMs: number | null;
  /** The hub's `data`: for `invalid`, the issues by field; for a refusal, its code and further fields. */
  readonly data: unknown;

  constructor(
    code: HubErrorCode,
    message: string,
    more: { retryAfterMs?: number | null; data?: unknown; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.retryAfterMs = msFromHub(more.retryAfterMs);
    this.data = more.data ?? null;
  }
}

export function fromRpcError(error: RpcError): HubError {
  const { message } = error;
  if (error.code === -32_000) {
    const { code, retryAfterMs = null } = error.data;
    return new HubError(code, message, { retryAfterMs, data: error.data });
  }
  return new HubError('invalid', message, { data: 'data' in error ? error.data : null });
}

const retryableCodes: ReadonlySet<HubErrorCode> = new Set<HubErrorCode>([
  'unavailable',
  'timeout',
  'internal',
  'rate_limited',
  'queue_full',
]);

/** The pause before a repeat of the call; null when a repeat would not help. */
export function retryPauseMs(error: unknown): number | null {
  if (!(error instanceof HubError) || !retryableCodes.has(error.code)) return null;
  return error.retryAfterMs ?? 1_000;
}
