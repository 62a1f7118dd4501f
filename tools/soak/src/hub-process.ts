import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess, waitFor, type ServerProcess } from '@openclaw/test-support';

/** A hub from its source, as a process that can die and come back on the same port, its log kept in a file. */
export interface SoakHub {
  readonly port: number;
  readonly httpUrl: string;
  readonly logFile: string;
  start(): Promise<void>;
  /** Ends it and waits for its exit. Resolves with its exit code, null after a signal. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
  freeze(): void;
  thaw(): void;
}

const main = resolve(fileURLToPath(import.meta.url), '../../../../apps/chat-hub/src/main.ts');
const startTimeoutMs = 60_000;

/** Prepares a hub; `env` is all that it gets beside what finds programs. */
export async function createSoakHub(
  folder: string,
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<SoakHub> {
  const port = await freePort();
  const httpUrl = `http://127.0.0.1:${port}`;
  const logFile = `${folder}/${name}.log`;
  let server: ServerProcess | null = null;
  return {
    port,
    httpUrl,
    logFile,
    async start() {
      const { PATH, HOME, TZ } = process.env;
      // exec keeps the pid, so that signals reach the hub; the shell only opens its log.
      const script = 'exec "$0" "$@" >>"$HUB_LOG" 2>&1';
      const flags = ['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'];
      const started = startProcess('sh', ['-c', script, process.execPath, ...flags, main], {
        cwd: folder,
        env: { PATH, HOME, TZ, HUB_PORT: String(port), HUB_LOG: logFile, ...env },
      });
      server = started;
      let hasExited = false;
      void started.exited.then(() => (hasExited = true));
      const answers = () =>
        fetch(`${httpUrl}/healthz`, { signal: AbortSignal.timeout(1_000) }).then(
          ({ ok }) => ok,
          () => false,
        );
      await waitFor(
        async () => {
          if (hasExited) throw new Error(`${name} did not start: see ${logFile}`);
          return answers();
        },
        { what: `${name} on ${port}`, timeoutMs: startTimeoutMs, everyMs: 50 },
      );
    },
    async stop(signal) {
      if (server === null) return null;
      await server.stop(signal);
      return server.exited;
    },
    freeze: () => server?.signal('SIGSTOP'),
    thaw: () => server?.signal('SIGCONT'),
  };
}
