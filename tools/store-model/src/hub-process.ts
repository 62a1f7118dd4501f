import { fork } from 'node:child_process';
import type { ChatStore } from '@openclaw/chat-store';

type Asked = 'append' | 'read' | 'logPage' | 'access' | 'changes' | 'beat' | 'redislessHubs';

export interface Question {
  readonly id: number;
  readonly name: Asked;
  readonly args: readonly unknown[];
}

/** Id 0 means that the process is ready. */
export type Answer =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly code: string };

/**
 * The store runs in another process. A failed call rejects with an Error whose message is the code of the store's
 * error, or `killed` after the process was killed.
 */
export type HubProcess = Pick<ChatStore, Asked> & {
  /** Sends SIGKILL, which interrupts all work. Resolves when the process has ended. */
  kill(): Promise<void>;
};

/** The clock of the process is off by `skewMs`. Resolves when the database is open. */
export async function startHubProcess(url: string, skewMs: number): Promise<HubProcess> {
  const file = new URL('./hub-program.ts', import.meta.url);
  const preload = `const now = Date.now; Date.now = () => now() + ${skewMs};`;
  const child = fork(file, [url], {
    execArgv: ['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'],
    // An environment variable also reaches the threads of the process, and on SQLite a thread gives the time.
    env: {
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
    },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const pending = new Map<number, PromiseWithResolvers<unknown>>();
  const gone = Promise.withResolvers<void>();
  const ask = (id: number) => {
    const answered = Promise.withResolvers<unknown>();
    pending.set(id, answered);
    return answered.promise;
  };
  child.on('message', (answer: Answer) => {
    const waiting = pending.get(answer.id);
    pending.delete(answer.id);
    if ('code' in answer) waiting?.reject(new Error(answer.code));
    else waiting?.resolve(answer.value);
  });
  // A message that a killed process cannot get causes an error, which does no harm.
  child.on('error', () => undefined);
  child.on('exit', () => {
    for (const waiting of pending.values()) waiting.reject(new Error('killed'));
    pending.clear();
    gone.resolve();
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  void gone.promise.then(() => process.off('exit', end));
  await ask(0);
  let last = 0;
  const forward =
    (name: Asked) =>
    (...args: readonly unknown[]) => {
      const id = ++last;
      const answered = ask(id);
      if (child.connected) child.send({ id, name, args } satisfies Question);
      else pending.get(id)?.reject(new Error('killed'));
      return answered;
    };
  const names: Asked[] = [
    'append',
    'read',
    'logPage',
    'access',
    'changes',
    'beat',
    'redislessHubs',
  ];
  const calls = Object.fromEntries(names.map((name) => [name, forward(name)]));
  return {
    ...(calls as unknown as Pick<ChatStore, Asked>),
    async kill() {
      end();
      await gone.promise;
    },
  };
}
