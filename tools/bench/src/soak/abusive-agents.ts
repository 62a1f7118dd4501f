import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Behaviours of a hostile agent with a valid identity and five sockets. */
export type Abuse = 'flood' | 'read-storm';

/** What its thread is given. */
export interface AbuseTask {
  readonly behaviour: Abuse;
  /** The hub's WebSocket, with its identity. */
  readonly url: string;
  /** Channels that it joins and reads. */
  readonly channelIds: readonly string[];
}

/** What it did, and what the hub did to it. */
export interface AbuseCounts {
  readonly calls: number;
  /** Frames that came back. */
  readonly answers: number;
  /** Close code → how often. */
  readonly closes: Readonly<Record<string, number>>;
}

/** Starts a hostile agent in a thread of its own; the returned function ends it. */
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
