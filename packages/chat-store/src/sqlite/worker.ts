// node:sqlite blocks its caller while the disk works and while another process holds the lock, so it runs in its own
// thread.
import { parentPort, workerData } from 'node:worker_threads';
import { createStoreCore, type StoreCore } from '../core/store-core.ts';
import { ChatStoreError } from '../errors.ts';
import { openSqliteEngine } from './sqlite-engine.ts';
import { watchFiles } from './watch-file.ts';
import {
  fileLost,
  toWire,
  transferOf,
  watchingFile,
  type WorkerCall,
  type WorkerReply,
  type WorkerSettings,
} from './worker-messages.ts';

const port = parentPort;
if (!port) throw new Error('worker.ts runs in a worker thread only');
const reply = (message: WorkerReply, transfer: ArrayBuffer[] = []) =>
  port.postMessage(message, transfer);
const settings = workerData as WorkerSettings;

// A commit to a removed file is lost. If a new file is at its path, the write-ahead logs of both files would mix. So
// all further calls are refused, and the hub reports that it is not ready.
const files = watchFiles(settings.path);

async function open(): Promise<StoreCore | null> {
  try {
    const engine = await openSqliteEngine(settings);
    const lost = files.checkNow();
    if (lost !== null) {
      await engine.close();
      throw new ChatStoreError('unavailable', lost);
    }
    reply({ ready: true });
    return createStoreCore(engine, (error, doing) =>
      reply({
        fault: error instanceof Error ? (error.stack ?? error.message) : String(error),
        doing,
      }),
    );
  } catch (error) {
    reply({ id: 0, error: toWire(error) });
    return null;
  }
}

const core = await open();
// Each call waits for the call before it, because all calls share one connection, and no other call may run within a
// transaction.
let last: Promise<void> = Promise.resolve();
if (core) {
  port.on('message', (call: WorkerCall) => {
    last = last.then(() => answer(core, call));
  });
} else {
  port.close();
}

async function answer(store: StoreCore, { id, method, args }: WorkerCall): Promise<void> {
  const isClosing = method === 'close';
  const lost = isClosing ? null : files.check();
  if (lost !== null) {
    replyLost(id, lost, 'unavailable');
    return;
  }
  try {
    const calls = store as unknown as Record<string, (...values: readonly unknown[]) => unknown>;
    const value = await calls[method]?.(...args);
    // Checks after the commit and before the answer, so that an acknowledged commit is in the file at the path.
    const lostMeanwhile = isClosing || settings.readOnly ? null : files.checkNow();
    if (lostMeanwhile === null) reply({ id, value }, transferOf(value));
    else replyLost(id, lostMeanwhile, 'timeout');
  } catch (error) {
    reply({ id, error: toWire(error) });
  }
  if (isClosing) port?.close();
}

function replyLost(id: number, lost: string, code: 'unavailable' | 'timeout'): void {
  reply({ fault: lost, doing: watchingFile });
  reply({ id, error: toWire(fileLost(code)) });
}
