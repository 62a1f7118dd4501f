import {
  freePort,
  startProcess,
  temporaryFolder,
  waitFor,
  type ServerProcess,
  type TemporaryFolder,
} from '@openclaw/test-support';
import { join } from 'node:path';
import { root } from './repository.ts';
import { redisCli } from './redis-cli.ts';

export interface StartedScript extends AsyncDisposable {
  readonly port: number;
  readonly process: ServerProcess;
  stop(): Promise<void>;
}

export type ScriptEnvironment = Readonly<Record<string, string>>;

export interface StartScriptOptions {
  /** @default a free port */
  readonly port?: number;
  readonly args?: readonly string[];
  /** Holds the data, and outlives the server. @default a new one, removed by `stop()` */
  readonly folder?: TemporaryFolder;
}

/** Runs the script like a container, but on loopback and in a temporary folder. Does not wait for an answer. */
export async function runStartScript(
  mode: string,
  environment: ScriptEnvironment,
  { port, args = [], folder: given }: StartScriptOptions = {},
): Promise<StartedScript> {
  const ownPort = port ?? (await freePort());
  const folder = given ?? (await temporaryFolder('infra'));
  const server = startProcess(
    'sh',
    [
      join(root, 'infra/redis/start.sh'),
      mode,
      '--port',
      String(ownPort),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder.path,
      ...args,
    ],
    {
      cwd: folder.path,
      env: {
        PATH: systemPath(),
        REDIS_RUN_DIR: join(folder.path, 'run'),
        REDIS_SECRETS_DIR: join(folder.path, 'secrets'),
        ...environment,
      },
    },
  );
  async function stop() {
    await server.stop('SIGKILL');
    if (!given) await folder.remove();
  }

  return { port: ownPort, process: server, stop, [Symbol.asyncDispose]: stop };
}

export async function startByScript(
  ...args: Parameters<typeof runStartScript>
): Promise<StartedScript> {
  const started = await runStartScript(...args);
  let hasExited = false;
  void started.process.exited.then(() => (hasExited = true));
  await waitFor(
    async () => {
      if (hasExited) throw new Error(`start.sh ended:\n${started.process.output()}`);
      return /PONG|NOAUTH/.test(await redisCli(started.port, ['PING']));
    },
    { what: `a server on ${started.port}`, everyMs: 50, timeoutMs: 20_000 },
  );
  return started;
}

function systemPath(): string {
  return process.env['PATH'] ?? '/usr/bin:/bin';
}
