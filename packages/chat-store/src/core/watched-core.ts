import { ChatStoreError, type ChatStoreErrorCode } from '../errors.ts';
import type { StoreCore } from './store-core.ts';

/** The kinds of calls to the database. Each has separate connections, a separate thread, or a limited share of them. */
export const callKinds = ['commit', 'write', 'read', 'look_up', 'system'] as const;
export type CallKind = (typeof callKinds)[number];

/** One call that the database answered or failed. */
export interface DatabaseCall {
  readonly kind: CallKind;
  readonly durationMs: number;
  /** Null when the database answered. */
  readonly failure: ChatStoreError | null;
}

const kinds: Readonly<Record<Exclude<keyof StoreCore, 'close'>, CallKind>> = {
  runGroup: 'commit',
  beat: 'write',
  recordAgents: 'write',
  revoke: 'write',
  recordMinted: 'write',
  recordTokenUses: 'write',
  recordAudit: 'write',
  giveAgentOrder: 'write',
  checkpointStreams: 'write',
  keepStreams: 'write',
  sweepStreams: 'write',
  sweep: 'write',
  feedSearch: 'write',
  changeEpoch: 'write',
  eraseSome: 'write',
  read: 'read',
  readJson: 'read',
  access: 'look_up',
  logPage: 'look_up',
  directChannels: 'look_up',
  hubs: 'look_up',
  isRevoked: 'look_up',
  readMinted: 'look_up',
  readTime: 'look_up',
  readStream: 'look_up',
  readAudit: 'look_up',
  isKnownAgent: 'look_up',
  heads: 'system',
  recentHeads: 'system',
  changes: 'system',
  agentOrders: 'system',
  readStreamAuthors: 'system',
  freezes: 'system',
  redislessHubs: 'system',
  epoch: 'system',
};

/** These codes say that a limit or a bug of this package ended the call, not the database. */
const ownFaults: ReadonlySet<ChatStoreErrorCode> = new Set(['closed', 'rate_limited', 'internal']);

/** A core that reports each of its calls. A call that never settles is not reported. */
export function observeCore(core: StoreCore, onCall: (call: DatabaseCall) => void): StoreCore {
  const observed =
    <A extends readonly unknown[], R>(kind: CallKind, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
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
  const calls = Object.entries<unknown>({ ...core }).map(([name, call]) => [
    name,
    name === 'close'
      ? call
      : observed(
          kinds[name as keyof typeof kinds],
          call as (...args: readonly unknown[]) => Promise<unknown>,
        ),
  ]);
  return Object.fromEntries(calls) as StoreCore;
}

/**
 * A core that makes no more calls once one has failed with `newer_schema`, because statements that still work could
 * write rows which the newer release cannot read. Only beats are still made. They look at the schema first, and the
 * first one that succeeds ends the refusals.
 */
export function refuseNewerSchema(core: StoreCore): {
  readonly core: StoreCore;
  /** The reason of the refusals, as one sentence; null while there are none. */
  readonly reason: () => string | null;
} {
  let refusal: ChatStoreError | null = null;

  const watched =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await call(...args);
      } catch (error) {
        if (error instanceof ChatStoreError && error.code === 'newer_schema') refusal = error;
        throw error;
      }
    };
  const guarded = <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) => {
    const made = watched(call);
    return async (...args: A): Promise<R> => {
      if (refusal !== null) throw refusal;
      return made(...args);
    };
  };
  const beat = watched(core.beat);

  const calls = Object.entries<unknown>({ ...core }).map(([name, call]) => [
    name,
    name === 'close' ? call : guarded(call as (...args: readonly unknown[]) => Promise<unknown>),
  ]);
  return {
    core: {
      ...(Object.fromEntries(calls) as StoreCore),
      async beat(...args) {
        const before = refusal;
        await beat(...args);
        // If another call was refused meanwhile, this beat may have looked before the migration.
        if (refusal === before) refusal = null;
      },
    },
    reason: () => refusal?.message ?? null,
  };
}
