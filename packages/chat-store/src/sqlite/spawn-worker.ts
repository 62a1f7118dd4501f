import { Worker } from 'node:worker_threads';
import type { WorkerSettings } from './worker-messages.ts';

const isSource = import.meta.url.endsWith('.ts');
const ownFile = new URL(isSource ? './worker.ts' : './worker.js', import.meta.url);

/** If the worker runs from source, `--conditions` makes Node resolve the workspace's packages to their sources. */
export function spawnWorker(settings: WorkerSettings, file = ownFile): Worker {
  const execArgv = ['--disable-warning=ExperimentalWarning'];
  if (file.pathname.endsWith('.ts')) execArgv.push('--conditions=@openclaw/source');
  return new Worker(file, {
    workerData: settings,
    execArgv,
    name: `chat-store ${settings.readOnly ? 'reader' : 'writer'}`,
  });
}
