import { join } from 'node:path';
import { hubProgram } from './built-for-tests.ts';
import {
  freePort,
  startProcess,
  temporaryFolder,
  waitFor,
  type ServerProcess,
} from './processes.ts';

/** Listens on a free loopback port. `await using` stops it. */
export interface HubProcess extends AsyncDisposable {
  readonly port: number;
  /** `ws://127.0.0.1:{port}` */
  readonly url: string;
  /** `http://127.0.0.1:{port}` */
  readonly httpUrl: string;
  readonly pid: number;
  /** Returns the last 64 KiB of output; empty with {@link HubOptions.logFile}. */
  output(): string;
  /**
   * Ends only this process: SIGTERM drains it, SIGKILL crashes it. Resolves with the exit code, or null after a
   * signal.
   */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
  kill(): Promise<void>;
  /** Uses the same port and database. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, and the hub does not answer. */
  freeze(): void;
  thaw(): void;
  /** Also removes the database file. */
  stop(): Promise<void>;
}

export interface HubOptions {
  /** An example is `{ REDIS_URL, HUB_LIMIT_MESSAGE }`. Without REDIS_URL the hub runs without Redis. */
  readonly env?: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly logFile?: string;
  /** Runs the sources also in a test run, for measurements by source file. */
  readonly fromSource?: boolean;
}

const startTimeoutMs = 60_000;

/**
 * Starts the hub and waits until it answers. In a test run the hub runs from its bundle, otherwise from its sources.
 * The hub has its own SQLite file, unless HUB_DB_URL is set.
 */
export async function startHub(options: HubOptions = {}): Promise<HubProcess> {
  const { logFile, fromSource } = options;
  const port = options.port ?? (await freePort());
  const folder = await temporaryFolder('hub');
  const httpUrl = `http://127.0.0.1:${port}`;
  // The hub must not see this process' other variables, such as a developer's HUB_DB_URL.
  const { PATH, HOME, TZ, NODE_COMPILE_CACHE } = process.env;
  const env = {
    PATH,
    HOME,
    TZ,
    NODE_COMPILE_CACHE,
    HUB_PORT: String(port),
    HUB_DB_URL: `sqlite:${join(folder.path, 'hub.sqlite')}`,
    // Without a URL, the hub would use a Redis on the default port. No server listens on the port of this URL.
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    LOG_LEVEL: 'error',
    // Tests and measurements need no limit against loops.
    HUB_AGENT_LOOP: '0',
    HUB_AGENT_TURNS: '0',
    ...options.env,
  };
  let server: ServerProcess;

  async function start() {
    server = startProcess(process.execPath, hubProgram('main', { fromSource }), {
      cwd: folder.path,
      env,
      ...(logFile !== undefined && { outputFile: logFile }),
    });
    let hasExited = false;
    void server.exited.then(() => (hasExited = true));
    await waitFor(
      async () => {
        if (hasExited)
          throw new Error(`the hub did not start: ${logFile ? `see ${logFile}` : server.output()}`);
        return fetch(`${httpUrl}/healthz`, { signal: AbortSignal.timeout(1_000) }).then(
          async (answer) => ((await answer.json()) as { status: string }).status === 'ok',
          () => false,
        );
      },
      { what: `the hub on ${port}`, timeoutMs: startTimeoutMs, everyMs: 50 },
    );
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL') {
    await server.stop(signal);
    return server.exited;
  }

  async function stop() {
    await server.stop();
    await folder.remove();
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
    end,
    kill: async () => void (await end('SIGKILL')),
    restart: start,
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
