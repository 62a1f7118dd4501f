import { ChatStoreError } from '@openclaw/chat-store';
import { refuse, type ParamIssue, type Refusal } from '@openclaw/protocol';

export interface MalformedCall {
  readonly ok: false;
  readonly code: 'parse_error' | 'invalid_request' | 'method_not_found' | 'invalid_params';
  readonly message: string;
  readonly issues?: readonly ParamIssue[];
}

export type Failure = Refusal | MalformedCall;

/** `abandoned` means that the socket closed before the call ran. */
export type CallOutcome = 'ok' | Failure['code'] | 'abandoned';

export function malformed(
  code: MalformedCall['code'],
  message: string,
  issues?: readonly ParamIssue[],
): MalformedCall {
  return issues ? { ok: false, code, message, issues } : { ok: false, code, message };
}

const faultTexts = {
  unavailable: 'the database is away or busy; nothing happened, so try again',
  timeout:
    'the database did not answer in time; a write may have happened, so repeat it with the same clientMessageId',
  internal: 'the hub failed at this call; its log has the reason',
} as const;

/** Returns true when the hub or its database failed, and false when the caller failed. */
export function isFault(code: string): code is keyof typeof faultTexts {
  return Object.hasOwn(faultTexts, code);
}

/** Replaces the texts of the store's failures, because they contain names of hosts, ports, databases and files. */
export function withoutNames(failure: Failure): Failure {
  return isFault(failure.code) ? { ...failure, message: faultTexts[failure.code] } : failure;
}

/** Keeps the store's code when the caller can act on it, else returns `internal`. */
export function refusalOfError(error: unknown): Refusal {
  if (!(error instanceof ChatStoreError)) return refuse('internal', faultTexts.internal);
  const { code, message, retryAfterMs = 1_000 } = error;
  if (code === 'rate_limited') return refuse(code, message, retryAfterMs);
  return code === 'unavailable' || code === 'timeout'
    ? refuse(code, faultTexts[code], retryAfterMs)
    : refuse('internal', faultTexts.internal);
}

export function tooManyCalls(afterMs: number): Refusal {
  return refuse('rate_limited', 'this agent has made too many calls', afterMs);
}
