import { waitFor } from './processes.ts';
import { WebSocket } from 'ws';

/** A Node process with this environment is open to {@link openInspector}. */
export const inspectorEnv = { NODE_OPTIONS: '--inspect=127.0.0.1:0' } as const;

export interface Inspector extends Disposable {
  /** Resolves with the bytes in use after a full garbage collection. */
  retainedBytes(): Promise<number>;
  /**
   * Resolves with the processor time of all threads so far. Other processes do not change this time, unlike elapsed
   * time.
   */
  cpuMs(): Promise<number>;
  close(): void;
}

/** `output` returns the output of the process, which contains the inspector's address. */
export async function openInspector(output: () => string): Promise<Inspector> {
  const url = await waitFor(() => /ws:\/\/127\.0\.0\.1:\d+\/[\w-]+/.exec(output())?.[0], {
    what: 'the inspector',
  });
  const ws = new WebSocket(url, { perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => ws.once('open', resolve).once('error', reject));
  let nextId = 0;
  const ask = <T = Record<string, number>>(method: string, params = {}) =>
    new Promise<T>((resolve) => {
      const id = ++nextId;
      const take = (data: Buffer) => {
        const answer = JSON.parse(data.toString()) as { id?: number; result?: never };
        if (answer.id !== id) return;
        ws.off('message', take);
        resolve(answer.result ?? ({} as T));
      };
      ws.on('message', take);
      ws.send(JSON.stringify({ id, method, params }));
    });
  return {
    async retainedBytes() {
      await ask('HeapProfiler.collectGarbage');
      const {
        usedSize = 0,
        embedderHeapUsedSize = 0,
        backingStorageSize = 0,
      } = await ask('Runtime.getHeapUsage');
      return usedSize + embedderHeapUsedSize + backingStorageSize;
    },
    async cpuMs() {
      const { result } = await ask<{ result?: { value?: { user: number; system: number } } }>(
        'Runtime.evaluate',
        { expression: 'process.cpuUsage()', returnByValue: true },
      );
      const { user = Number.NaN, system = Number.NaN } = result?.value ?? {};
      return (user + system) / 1_000;
    },
    close: () => ws.terminate(),
    [Symbol.dispose]: () => ws.terminate(),
  };
}
