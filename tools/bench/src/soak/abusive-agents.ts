import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** The behaviours of an authenticated agent with five sockets. */
export type Abuse = 'flood' | 'read-storm';

export interface AbuseTask {
  readonly behaviour: Abuse;
  /** The hub's WebSocket URL, credentials included. */
  readonly url: string;
  readonly channelIds: readonly string[];
}

export interface AbuseCounts {
  readonly calls: number;
  /** Frames received. */
  readonly answers: number;
  readonly closes: Readonly<Record<string, number>>;
}

/** Starts the agent in a worker thread. Returns a function that ends it. */
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
