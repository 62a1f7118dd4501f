import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { coreCalls, coreOf } from '../core/core-calls.ts';
import type { StoreCore } from '../core/store-core.ts';
import { ChatStoreError } from '../errors.ts';
import { makePrivate } from './private-files.ts';
import { spawnWorker } from './spawn-worker.ts';
import {
  fileLost,
  fromWire,
  watchingFile,
  type WorkerReply,
  type WorkerSettings,
} from './worker-messages.ts';

export type OnFault = (fault: string, doing: string) => void;

/** Opening may migrate millions of rows. */
const openTimeoutMs = 300_000;
const restartPauseMs = 1000;

export interface SqliteCoreOptions {
  readonly path: string;
  readonly lockTimeoutMs: number;
  readonly timeoutMs: number;
}

/**
 * The core in three threads with a connection each: for commits, for agents' reads, and for system calls and look-ups.
 * So a long page delays no sender. Each thread runs one call at a time, and the callers limit the number of calls.
 * @throws {ChatStoreError} when the file cannot be opened
 */
export async function openSqliteCore(
  options: SqliteCoreOptions,
  onFault: OnFault,
): Promise<StoreCore> {
  const { path, lockTimeoutMs, timeoutMs } = options;
  makePrivate(path);
  let isFileLost = false;
  // When the file is lost, every thread reports it with every call, so only the first report is passed on.
  const report: OnFault = (fault, doing) => {
    if (doing === watchingFile && isFileLost) return;
    if (doing === watchingFile) isFileLost = true;
    onFault(fault, doing);
  };
  const start = (readOnly: boolean) =>
    startWorkerThread({ path, readOnly, busyTimeoutMs: lockTimeoutMs }, report);
  const starting = [start(false), start(true), start(true)] as const;
  const [writer, reader, system] = await Promise.all(starting).catch(async (error: unknown) => {
    for (const started of await Promise.allSettled(starting)) {
      if (started.status === 'fulfilled') await started.value.close(timeoutMs);
    }
    throw error;
  });
  const threads = { writer, reader, system };
  return coreOf(
    (method) => {
      const thread = threads[coreCalls[method].thread];
      return (...args) =>
        isFileLost ? Promise.reject(fileLost('unavailable')) : thread.call(method, args);
    },
    async () => {
      // The last connection to close copies the write-ahead log into the file. If two close at the same time, both may
      // leave the log behind.
      await Promise.all([reader, system].map((thread) => thread.close(timeoutMs)));
      await writer.close(timeoutMs);
    },
  );
}

interface Running {
  readonly worker: Worker;
  readonly pending: Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>;
}

export type WorkerThread = Awaited<ReturnType<typeof startWorkerThread>>;

/**
 * Resolves when the thread's database is open. A thread that ends unexpectedly is restarted.
 * @throws {ChatStoreError} when the database cannot be opened
 */
export async function startWorkerThread(
  settings: WorkerSettings,
  onFault: OnFault,
  spawn = spawnWorker,
) {
  let isClosed = false;
  let nextId = 1;
  let endedAtMs = 0;
  let starting: Promise<Running> | undefined = start();
  await starting;

  function start(): Promise<Running> {
    const worker = spawn(settings);
    const pending: Running['pending'] = new Map();
    return new Promise<Running>((resolve, reject) => {
      const tooLong = setTimeout(() => {
        reject(new ChatStoreError('timeout', `opening ${settings.path} takes too long`));
        void worker.terminate();
      }, openTimeoutMs);
      worker.on('message', (message: WorkerReply) => {
        if ('ready' in message) {
          resolve({ worker, pending });
        } else if ('fault' in message) {
          onFault(message.fault, message.doing);
        } else if (message.id === 0 && 'error' in message) {
          reject(fromWire(message.error));
        } else {
          const call = pending.get(message.id);
          pending.delete(message.id);
          if ('error' in message) call?.reject(fromWire(message.error));
          else call?.resolve(message.value);
        }
        clearTimeout(tooLong);
      });
      worker.on('error', (error: Error) =>
        onFault(error.stack ?? error.message, 'running the SQLite thread'),
      );
      worker.on('exit', () => {
        clearTimeout(tooLong);
        starting = undefined;
        endedAtMs = performance.now();
        // The thread may have ended during a commit, so the outcome of its calls is unknown.
        const gone = ended('timeout');
        reject(gone);
        for (const call of pending.values()) call.reject(gone);
        pending.clear();
      });
    });
  }

  function running(): Promise<Running> {
    if (starting) return starting;
    // The pause keeps a thread that always fails from overloading the machine.
    if (isClosed || performance.now() - endedAtMs < restartPauseMs) {
      return Promise.reject(ended(isClosed ? 'closed' : 'unavailable'));
    }
    return (starting = start());
  }

  /** Calls run one after the other and may take as long as the disk needs, so callers set their own limits. */
  async function call(method: keyof StoreCore, args: readonly unknown[]): Promise<unknown> {
    const { worker, pending } = await running();
    const id = nextId++;
    return new Promise<unknown>((resolve, reject) => {
      pending.set(id, { resolve, reject });
      worker.postMessage({ id, method, args });
    });
  }

  return {
    call,
    /** Ends the thread after its current call, or after `timeoutMs`. */
    async close(timeoutMs: number): Promise<void> {
      const current = await starting?.catch(() => undefined);
      if (current) {
        const timer = new AbortController();
        await Promise.race([
          call('close', []).catch(() => undefined),
          delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined),
        ]);
        timer.abort();
        isClosed = true;
        await current.worker.terminate();
      }
      isClosed = true;
    },
  };
}

function ended(code: 'timeout' | 'unavailable' | 'closed'): ChatStoreError {
  return new ChatStoreError(code, 'the SQLite thread has ended', { retryAfterMs: restartPauseMs });
}
