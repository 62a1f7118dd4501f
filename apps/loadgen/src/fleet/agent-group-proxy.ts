import { Worker } from 'node:worker_threads';
import type { AgentGroup, AgentGroupSetup } from './agent-group.ts';

export interface AgentGroupCall {
  readonly id: number;
  readonly method: keyof AgentGroup;
  readonly args: readonly unknown[];
}
export interface AgentGroupAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

export function createAgentGroupProxy(setup: AgentGroupSetup): AgentGroup {
  const file = import.meta.url.endsWith('.ts')
    ? './agent-group-thread.ts'
    : './agent-group-thread.js';
  const worker = new Worker(new URL(file, import.meta.url), { workerData: setup });
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let lastId = 0;

  worker.on('message', ({ id, result, error }: AgentGroupAnswer) => {
    const call = pending.get(id);
    pending.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(error));
  });
  let failure: Error | null = null;
  const fail = (error: Error) => {
    failure ??= error;
    for (const call of pending.values()) call.reject(error);
    pending.clear();
  };
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new Error(`A worker thread ended with code ${code}`)));

  const call = <T>(method: keyof AgentGroup, ...args: unknown[]) =>
    new Promise<T>((resolve, reject) => {
      // A thread that has ended never answers a message.
      if (failure !== null) return reject(failure);
      lastId += 1;
      pending.set(lastId, { resolve, reject });
      worker.postMessage({ id: lastId, method, args } satisfies AgentGroupCall);
    });

  return {
    join: () => call('join'),
    subscribe: () => call('subscribe'),
    run: (times) => call('run', times),
    stop: () => call('stop'),
    report: (heads, timeoutMs) => call('report', heads, timeoutMs),
    async close() {
      if (failure === null) await call('close');
      await worker.terminate();
    },
  };
}
