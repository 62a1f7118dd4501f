import type { StoreCore } from '../core/store-core.ts';
import { isVitalCall } from '../core/vital-calls.ts';
import { createTwoLines } from './two-lines.ts';
import type { WorkerSettings } from './worker-messages.ts';
import { startWorkerThread, type OnFault, type WorkerThread } from './worker-thread.ts';

const openTimeoutMs = 30_000;
/** Enough that the reader finds the next when it has answered one, and few enough that what is urgent soon has its turn. */
const readsHandedOver = 8;

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
export async function openSqliteCore(
  options: SqliteCoreOptions,
  onFault: OnFault,
): Promise<StoreCore> {
  const { path, lockTimeoutMs, timeoutMs } = options;
  const start = (readOnly: boolean) =>
    startWorkerThread(
      { path, readOnly, busyTimeoutMs: lockTimeoutMs } satisfies WorkerSettings,
      openTimeoutMs,
      onFault,
    );
  const starting = [start(false), start(true)] as const;
  const [writer, reader] = await Promise.all(starting).catch(async (error: unknown) => {
    // If one of them did open, it must not be left behind.
    for (const started of await Promise.allSettled(starting)) {
      if (started.status === 'fulfilled') await started.value.close(timeoutMs);
    }
    throw error;
  });
  const lines = createTwoLines(readsHandedOver);
  const read = <M extends keyof StoreCore>(method: M) =>
    forward(
      { call: (name, args) => lines.run(() => reader.call(name, args), isVitalCall(name)) },
      method,
    );
  return {
    runGroup: forward(writer, 'runGroup'),
    beat: forward(writer, 'beat'),
    revoke: forward(writer, 'revoke'),
    sweep: forward(writer, 'sweep'),
    changeEpoch: forward(writer, 'changeEpoch'),
    read: read('read'),
    readJson: read('readJson'),
    access: read('access'),
    logPage: read('logPage'),
    heads: read('heads'),
    recentHeads: read('recentHeads'),
    directChannels: read('directChannels'),
    changes: read('changes'),
    cutOffHubs: read('cutOffHubs'),
    hubs: read('hubs'),
    isRevoked: read('isRevoked'),
    epoch: read('epoch'),
    async close() {
      await Promise.all([writer.close(timeoutMs), reader.close(timeoutMs)]);
    },
  };
}

function forward<M extends keyof StoreCore>(
  thread: Pick<WorkerThread, 'call'>,
  method: M,
): StoreCore[M] {
  const call = (...args: readonly unknown[]) => thread.call(method, args);
  return call as StoreCore[M];
}
