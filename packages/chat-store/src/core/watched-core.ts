import { ChatStoreError, type ChatStoreErrorCode } from '../errors.ts';
import { coreCalls, wrapCalls, type CallKind, type CoreCall } from './core-calls.ts';
import type { StoreCore } from './store-core.ts';

export interface DatabaseCall {
  readonly kind: CallKind;
  readonly durationMs: number;
  /** Null when the database answered. */
  readonly failure: ChatStoreError | null;
}

/** Errors with these codes come from this package itself, and say nothing about the database. */
const ownFaults: ReadonlySet<ChatStoreErrorCode> = new Set(['closed', 'rate_limited', 'internal']);

export function observeCore(core: StoreCore, onCall: (call: DatabaseCall) => void): StoreCore {
  return wrapCalls(core, (call, method) => {
    const { kind } = coreCalls[method];
    return async (...args) => {
      const startMs = performance.now();
      try {
        const answer = await call(...args);
        onCall({ kind, durationMs: performance.now() - startMs, failure: null });
        return answer;
      } catch (error) {
        if (error instanceof ChatStoreError && !ownFaults.has(error.code))
          onCall({ kind, durationMs: performance.now() - startMs, failure: error });
        throw error;
      }
    };
  });
}

/**
 * After a call has failed with `newer_schema`, only beats are made: any statement could write rows that the newer
 * release cannot read. The first successful beat ends the refusals.
 */
export function refuseNewerSchema(core: StoreCore): {
  readonly core: StoreCore;
  /** One sentence; null while calls are not refused. */
  readonly reason: () => string | null;
} {
  let refusal: ChatStoreError | null = null;

  const watched =
    (call: CoreCall): CoreCall =>
    async (...args) => {
      try {
        return await call(...args);
      } catch (error) {
        if (error instanceof ChatStoreError && error.code === 'newer_schema') refusal = error;
        throw error;
      }
    };
  const guarded = wrapCalls(core, (call, method) => {
    const made = watched(call);
    return async (...args) => {
      if (method !== 'beat') {
        if (refusal !== null) throw refusal;
        return made(...args);
      }
      const before = refusal;
      await made(...args);
      // If a call was refused during the beat, calls stay refused until the next beat: this beat may have read the
      // schema before the newer release migrated it.
      if (refusal === before) refusal = null;
      return undefined;
    };
  });
  return { core: guarded, reason: () => refusal?.message ?? null };
}
