import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ChatStoreError } from '../errors.ts';
import {
  fromWire,
  type WorkerMethod,
  type WorkerReply,
  type WorkerSettings,
} from './worker-messages.ts';

/** Reports faults inside the thread. */
export type OnFault = (fault: string, doing: string) => void;

/** A thread that holds one connection, and is started again should it end by itself. */
export interface WorkerThread {
  /** Calls run one after the other, in this order. They may take as long as the disk does: callers set their own limits. */
  call(method: WorkerMethod, args: readonly unknown[]): Promise<unknown>;
  /** Ends the thread after its current call, but after `timeoutMs` at the latest. */
  close(timeoutMs: number): Promise<void>;
}

interface Running {
  readonly worker: Worker;
  readonly pending: Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>;
}

const restartPauseMs = 1000;

/**
 * Starts the thread and resolves when its database is open.
 * @throws {ChatStoreError} whatever opening the database threw
 */
export async function startWorkerThread(
  settings: WorkerSettings,
  startTimeoutMs: number,
  onFault: OnFault,
  spawn = spawnWorker,
): Promise<WorkerThread> {
  let isClosed = false;
  let nextId = 1;
  let endedAtMs = 0;
  let starting: Promise<Running> | undefined = start();
  await starting;

  function start(): Promise<Running> {
    const { worker, pending } = {
      worker: spawn(settings),
      pending: new Map() as Running['pending'],
    };
    return new Promise<Running>((resolve, reject) => {
      const tooLong = setTimeout(() => {
        reject(new ChatStoreError('timeout', `opening ${settings.path} takes too long`));
        void worker.terminate();
      }, startTimeoutMs);
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
        // A commit may have been under way.
        const gone = new ChatStoreError('timeout', 'the SQLite thread has ended', {
          retryAfterMs: restartPauseMs,
        });
        reject(gone);
        for (const call of pending.values()) call.reject(gone);
        pending.clear();
      });
    });
  }

  function running(): Promise<Running> {
    if (starting) return starting;
    // Not at once: restarting a thread that always fails would use up the machine.
    if (isClosed || performance.now() - endedAtMs < restartPauseMs) {
      const code = isClosed ? 'closed' : 'unavailable';
      const retryAfterMs = restartPauseMs;
      return Promise.reject(
        new ChatStoreError(code, 'the SQLite thread has ended', { retryAfterMs }),
      );
    }
    return (starting = start());
  }

  async function call(method: WorkerMethod, args: readonly unknown[]): Promise<unknown> {
    const { worker, pending } = await running();
    const id = nextId++;
    return new Promise<unknown>((resolve, reject) => {
      pending.set(id, { resolve, reject });
      worker.postMessage({ id, method, args });
    });
  }

  return {
    call,
    async close(timeoutMs) {
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

/**
 * Starts worker.ts. From source Node strips the types itself and resolves the workspace's packages to their sources; from
 * dist it must do neither.
 */
export function spawnWorker(settings: WorkerSettings): Worker {
  const isSource = import.meta.url.endsWith('.ts');
  const file = new URL(isSource ? './worker.ts' : './worker.js', import.meta.url);
  const execArgv = ['--disable-warning=ExperimentalWarning'];
  if (isSource) execArgv.push('--conditions=@openclaw/source');
  return new Worker(file, {
    workerData: settings,
    execArgv,
    name: `chat-store ${settings.readOnly ? 'reader' : 'writer'}`,
  });
}
