import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Fleet, FleetSetup } from './fleet.ts';

export interface FleetMessage {
  readonly id: number;
  readonly method: 'create' | keyof Fleet;
  readonly args: readonly unknown[];
}
export interface FleetAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/**
 * Runs the fleet in its own process. Closing the fleet or aborting `signal` ends the process and rejects unanswered
 * calls.
 */
export async function startFleet(
  setup: FleetSetup,
  signal: AbortSignal,
): Promise<Fleet & AsyncDisposable> {
  const file = fileURLToPath(new URL('./fleet-process.ts', import.meta.url));
  const child = fork(file, {
    execArgv: ['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
  });
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let lastId = 0;

  child.on('message', ({ id, result, error }: FleetAnswer) => {
    const call = pending.get(id);
    pending.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(error));
  });
  const kill = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  const exited = new Promise<void>((resolve) => {
    child.on('exit', (code, endedBy) => {
      const error = new Error(`the clients' process ended with ${endedBy ?? code}`);
      for (const call of pending.values()) call.reject(error);
      pending.clear();
      signal.removeEventListener('abort', kill);
      resolve();
    });
  });

  const call = <T>(method: FleetMessage['method'], ...args: unknown[]) =>
    new Promise<T>((resolve, reject) => {
      signal.throwIfAborted();
      lastId += 1;
      pending.set(lastId, { resolve, reject });
      child.send({ id: lastId, method, args } satisfies FleetMessage);
    });
  async function close() {
    if (child.exitCode === null && child.signalCode === null)
      await call('close').catch(() => undefined);
    kill();
    await exited;
  }
  await call('create', setup);
  return {
    connect: () => call('connect'),
    runLoad: (plan) => call('runLoad', plan),
    runDrops: (plan) => call('runDrops', plan),
    beginSending: (plan) => call('beginSending', plan),
    untilAllBack: (timeoutMs) => call('untilAllBack', timeoutMs),
    finishSending: () => call('finishSending'),
    incidents: () => call('incidents'),
    close,
    [Symbol.asyncDispose]: close,
  };
}
