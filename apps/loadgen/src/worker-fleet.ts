import { Worker } from 'node:worker_threads';
import type { Fleet, FleetSetup } from './fleet.ts';

/** A call of a fleet's method from another thread. */
export interface FleetCall {
  readonly id: number;
  readonly method: keyof Fleet;
  readonly args: readonly unknown[];
}
/** The answer to a {@link FleetCall}. */
export interface FleetAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A fleet in a worker thread. */
export function createWorkerFleet(setup: FleetSetup): Fleet {
  const file = import.meta.url.endsWith('.ts') ? './fleet-worker.ts' : './fleet-worker.js';
  const worker = new Worker(new URL(file, import.meta.url), { workerData: setup });
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let lastId = 0;

  worker.on('message', ({ id, result, error }: FleetAnswer) => {
    const call = pending.get(id);
    pending.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(error));
  });
  worker.on('error', (error: Error) => {
    for (const call of pending.values()) call.reject(error);
    pending.clear();
  });

  const call = <T>(method: keyof Fleet, ...args: unknown[]) =>
    new Promise<T>((resolve, reject) => {
      lastId += 1;
      pending.set(lastId, { resolve: resolve, reject });
      worker.postMessage({ id: lastId, method, args } satisfies FleetCall);
    });

  return {
    join: () => call('join'),
    subscribe: () => call('subscribe'),
    run: (times) => call('run', times),
    stop: () => call('stop'),
    report: (heads, timeoutMs) => call('report', heads, timeoutMs),
    async close() {
      await call('close');
      await worker.terminate();
    },
  };
}
