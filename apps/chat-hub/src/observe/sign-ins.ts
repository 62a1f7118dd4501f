import { ChatStoreError } from '@openclaw/chat-store';
import { createThrottledWarn } from '@openclaw/redis-client';
import type { Logger } from 'pino';
import type { Transport } from '../calls/handler.ts';
import { AuthError } from '../edge/identity.ts';
import type { Metrics, SignInResult } from './metrics.ts';
import type { RequestTrace } from './request-trace.ts';

export interface SignInAttempt {
  readonly transport: Transport;
  readonly address: string;
  readonly trace: RequestTrace;
  /** Null when the credentials were accepted, `blocked` when they were not checked, else the error. */
  readonly failure: unknown;
}

export type OnSignIn = (attempt: SignInAttempt) => void;

/**
 * Counts sign-ins, and logs failed ones with reason and address, at most one line a second for each transport and
 * result. Messages of AuthError may be logged, because they contain no part of a token.
 */
export function createSignInObserver(
  { signIns }: Pick<Metrics, 'signIns'>,
  log: Pick<Logger, 'warn'>,
): OnSignIn {
  const warn = createThrottledWarn(log, () => performance.now());
  return ({ transport, address, trace, failure }) => {
    const result = resultOf(failure);
    signIns.inc({ transport, result });
    if (result === 'ok') return;
    const reason = failure instanceof AuthError ? failure.message : reasons[result];
    warn({ address, reason, ...trace }, `a sign-in over ${transport} failed: ${result}`);
  };
}

const reasons: Readonly<Partial<Record<SignInResult, string>>> = {
  blocked: 'too many failed sign-ins from this address',
  unavailable: 'the database is away, so that revoked tokens cannot be recognized',
  internal: 'a fault of the hub',
};

function resultOf(failure: unknown): SignInResult {
  if (failure === null) return 'ok';
  if (failure === 'blocked') return 'blocked';
  if (failure instanceof AuthError) return failure.code;
  return failure instanceof ChatStoreError ? 'unavailable' : 'internal';
}
