import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { builtForTests } from '@openclaw/test-support';
import { spawnWorker as spawn } from '../sqlite/spawn-worker.ts';
import type { WorkerSettings } from '../sqlite/worker-messages.ts';

/**
 * Jest loads this module instead of sqlite/spawn-worker.ts. This module starts the bundled worker, because a database
 * has three threads. If they ran from source, their start would take most of a short test's processor time.
 */
export function spawnWorker(settings: WorkerSettings): Worker {
  const bundle = builtForTests('hub');
  return bundle === null
    ? spawn(settings)
    : spawn(settings, pathToFileURL(join(bundle, 'worker.js')));
}
