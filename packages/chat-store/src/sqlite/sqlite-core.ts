import type { StoreCore } from '../core/store-core.ts';
import type { WorkerMethod, WorkerSettings } from './worker-messages.ts';
import { startWorkerThread, type OnFault } from './worker-thread.ts';

const writes: ReadonlySet<WorkerMethod> = new Set(['runGroup', 'beat', 'revoke', 'changeEpoch']);
const openTimeoutMs = 30_000;

/** How the two threads are opened. */
export interface SqliteCoreOptions {
  readonly path: string;
  readonly lockTimeoutMs: number;
  readonly timeoutMs: number;
}

/**
 * The core in two threads, each with its own connection: commits in one, reads in the other, so that a long page of
 * history does not make a sender wait. A read sees every commit that was answered before it.
 * @throws {ChatStoreError} when the file cannot be opened
 */
export async function openSqliteCore(options: SqliteCoreOptions, onFault: OnFault): Promise<StoreCore> {
  const { path, lockTimeoutMs, timeoutMs } = options;
  const settings = (readOnly: boolean): WorkerSettings => ({ path, readOnly, busyTimeoutMs: lockTimeoutMs });
  const writer = await startWorkerThread(settings(false), openTimeoutMs, onFault);
  const reader = await startWorkerThread(settings(true), openTimeoutMs, onFault).catch(
    async (error: unknown) => {
      await writer.close(timeoutMs);
      throw error;
    },
  );

  const forward =
    (method: WorkerMethod) =>
    (...args: readonly unknown[]) =>
      (writes.has(method) ? writer : reader).call(method, args);
  const core = Object.fromEntries(
    (
      [
        ...['runGroup', 'read', 'access', 'logPage', 'directChannels', 'changes', 'beat'],
        ...['liveHubs', 'revoke', 'isRevoked', 'epoch', 'changeEpoch'],
      ] as WorkerMethod[]
    ).map((method) => [method, forward(method)]),
  ) as unknown as Omit<StoreCore, 'close'>;
  return {
    ...core,
    async close() {
      await Promise.all([writer.close(timeoutMs), reader.close(timeoutMs)]);
    },
  };
}
