import type { StoreCore } from '../core/store-core.ts';
import { fileLost, watchingFile, type WorkerSettings } from './worker-messages.ts';
import { startWorkerThread, type OnFault, type WorkerThread } from './worker-thread.ts';

/** Opening may migrate millions of rows. */
const openTimeoutMs = 300_000;
/** How the threads are opened. */
export interface SqliteCoreOptions {
  readonly path: string;
  readonly lockTimeoutMs: number;
  readonly timeoutMs: number;
}

/**
 * The core in three threads, each with its own connection: one for commits, one for agents' reads, so that a long page makes
 * no sender wait, and one for system calls and look-ups, which wait for neither. Each thread runs one call at a time and sees
 * every commit that was answered before. The callers limit the number of calls.
 * @throws {ChatStoreError} when the file cannot be opened
 */
export async function openSqliteCore(
  options: SqliteCoreOptions,
  onFault: OnFault,
): Promise<StoreCore> {
  const { path, lockTimeoutMs, timeoutMs } = options;
  let isFileLost = false;
  // Each thread notices it with every call. It is reported once and holds for all threads.
  const report: OnFault = (fault, doing) => {
    if (doing === watchingFile && isFileLost) return;
    if (doing === watchingFile) isFileLost = true;
    onFault(fault, doing);
  };
  const start = (readOnly: boolean) =>
    startWorkerThread(
      { path, readOnly, busyTimeoutMs: lockTimeoutMs } satisfies WorkerSettings,
      openTimeoutMs,
      report,
    );
  const starting = [start(false), start(true), start(true)] as const;
  const [writer, reader, system] = await Promise.all(starting).catch(async (error: unknown) => {
    // Threads that did open must be closed.
    for (const started of await Promise.allSettled(starting)) {
      if (started.status === 'fulfilled') await started.value.close(timeoutMs);
    }
    throw error;
  });
  const forward = <M extends keyof StoreCore>(thread: WorkerThread, method: M): StoreCore[M] => {
    const call = (...args: readonly unknown[]) =>
      isFileLost ? Promise.reject(fileLost('unavailable')) : thread.call(method, args);
    return call as StoreCore[M];
  };
  return {
    runGroup: forward(writer, 'runGroup'),
    beat: forward(writer, 'beat'),
    recordAgents: forward(writer, 'recordAgents'),
    revoke: forward(writer, 'revoke'),
    sweep: forward(writer, 'sweep'),
    changeEpoch: forward(writer, 'changeEpoch'),
    read: forward(reader, 'read'),
    readJson: forward(reader, 'readJson'),
    access: forward(system, 'access'),
    logPage: forward(system, 'logPage'),
    heads: forward(system, 'heads'),
    recentHeads: forward(system, 'recentHeads'),
    directChannels: forward(system, 'directChannels'),
    changes: forward(system, 'changes'),
    redislessHubs: forward(system, 'redislessHubs'),
    hubs: forward(system, 'hubs'),
    isRevoked: forward(system, 'isRevoked'),
    epoch: forward(system, 'epoch'),
    async close() {
      await Promise.all([writer, reader, system].map((thread) => thread.close(timeoutMs)));
    },
  };
}
