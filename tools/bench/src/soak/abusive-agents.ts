import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export type Abuse = 'flood' | 'read-storm';

export interface AbuseTask {
  readonly behaviour: Abuse;
  /** Contains credentials. */
  readonly url: string;
  readonly channelIds: readonly string[];
}

export interface AbuseCounts {
  readonly calls: number;
  readonly answers: number;
  readonly closes: Readonly<Record<string, number>>;
}

/** Runs in a worker thread. The returned function ends the agent. */
export function startAbusiveAgent(task: AbuseTask): () => Promise<AbuseCounts> {
  const worker = new Worker(new URL('./abusive-worker.ts', import.meta.url), {
    workerData: task,
    execArgv: ['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'],
  });
  const failed = once(worker, 'error').then(([error]) => {
    throw error as Error;
  });
  failed.catch(() => undefined);
  return async () => {
    const counted = once(worker, 'message');
    worker.postMessage('count');
    const [counts] = (await Promise.race([counted, failed])) as [AbuseCounts];
    await worker.terminate();
    return counts;
  };
}
