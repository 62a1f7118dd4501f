import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  freePort,
  startProcess,
  temporaryFolder,
  waitFor,
  type ServerProcess,
} from './processes.ts';

/** A chat hub as a process of its own, on a free loopback port. */
export interface HubProcess {
  readonly port: number;
  /** `ws://127.0.0.1:{port}` */
  readonly url: string;
  /** `http://127.0.0.1:{port}` */
  readonly httpUrl: string;
  readonly pid: number;
  /** What it has written so far. */
  output(): string;
  /** SIGKILL: as a crash. */
  kill(): Promise<void>;
  /** Starts it again on the same port and database. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  stop(): Promise<void>;
}

/** Options of {@link startHub}. */
export interface HubOptions {
  /** Further variables, such as `{ REDIS_URL, HUB_LIMIT_MESSAGE }`. Without a Redis named here it runs alone. */
  readonly env?: Readonly<Record<string, string>>;
  /** A fixed port instead of a free one. */
  readonly port?: number;
}

const main = resolve(fileURLToPath(import.meta.url), '../../../../apps/chat-hub/src/main.ts');

/** Starts the hub from its source, with a SQLite file of its own unless HUB_DB_URL is given, and waits until it answers. */
export async function startHub(options: HubOptions = {}): Promise<HubProcess> {
  const port = options.port ?? (await freePort());
  const folder = await temporaryFolder('hub');
  const httpUrl = `http://127.0.0.1:${port}`;
  // Nothing of this process's environment may reach the hub but what finds programs and names the machine.
  const { PATH, HOME, TZ } = process.env;
  const env = {
    PATH,
    HOME,
    TZ,
    HUB_PORT: String(port),
    HUB_DB_URL: `sqlite:${join(folder.path, 'hub.sqlite')}`,
    // A Redis that happens to run on the standard port is not ours.
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    LOG_LEVEL: 'error',
    ...options.env,
  };
  let server: ServerProcess;

  async function start() {
    const flags = ['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'];
    server = startProcess(process.execPath, [...flags, main], { cwd: folder.path, env });
    let hasExited = false;
    void server.exited.then(() => (hasExited = true));
    await waitFor(
      async () => {
        if (hasExited) throw new Error(`the hub did not start: ${server.output()}`);
        return fetch(`${httpUrl}/healthz`).then(
          ({ ok }) => ok,
          () => false,
        );
      },
      { what: `the hub on ${port}`, timeoutMs: 30_000, everyMs: 50 },
    );
  }

  await start();
  return {
    port,
    url: `ws://127.0.0.1:${port}`,
    httpUrl,
    get pid() {
      return server.pid;
    },
    output: () => server.output(),
    kill: () => server.stop('SIGKILL'),
    restart: start,
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    async stop() {
      await server.stop();
      await folder.remove();
    },
  };
}
