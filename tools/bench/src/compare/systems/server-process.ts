import { setTimeout as delay } from 'node:timers/promises';
import {
  freePort,
  startProcess,
  temporaryFolder,
  type RedisServer,
  type ServerProcess,
} from '@openclaw/test-support';
import type { RunningSystem } from './system.ts';

export interface ServerPlan {
  readonly command: string;
  args(place: ServerPlace): readonly string[];
  env?(place: ServerPlace): Readonly<Record<string, string>>;
  /** Before the first start, writes files that the server reads. */
  arrange?(place: ServerPlace): void;
  isReady(place: ServerPlace): Promise<boolean>;
}

export interface ServerPlace {
  readonly port: number;
  /** The folder is temporary, and also the server's working directory. */
  readonly folder: string;
  readonly redis: RedisServer;
}

const startTimeoutMs = 30_000;
const pollMs = 5;

export async function startServer(plan: ServerPlan, redis: RedisServer): Promise<RunningSystem> {
  const folder = await temporaryFolder('bench');
  const place: ServerPlace = { port: await freePort(), folder: folder.path, redis };
  plan.arrange?.(place);
  // The server must not see this process' other variables, such as a developer's HUB_DB_URL.
  const { PATH, HOME, TZ } = process.env;
  const env = { PATH, HOME, TZ, ...plan.env?.(place) };
  let server: ServerProcess;
  async function start(): Promise<number> {
    const startedMs = performance.now();
    server = startProcess(plan.command, plan.args(place), { cwd: folder.path, env });
    let hasExited = false;
    void server.exited.then(() => (hasExited = true));
    while (!(await plan.isReady(place).catch(() => false))) {
      if (hasExited) throw new Error(`the server did not start: ${server.output()}`);
      if (performance.now() - startedMs > startTimeoutMs)
        throw new Error(`the server was not ready after ${startTimeoutMs} ms: ${server.output()}`);
      await delay(pollMs);
    }
    return performance.now() - startedMs;
  }

  async function stop() {
    await server.stop('SIGTERM');
    await folder.remove();
  }
  const startMs = await start().catch(async (error: unknown) => {
    await server.stop('SIGKILL');
    await folder.remove();
    throw error;
  });
  return {
    port: place.port,
    get pids() {
      return { server: server.pid, redis: redis.pid };
    },
    startMs,
    async restart() {
      await server.stop('SIGTERM');
      await start();
    },
    [Symbol.asyncDispose]: stop,
  };
}

export async function answersOk(port: number, path: string): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    signal: AbortSignal.timeout(1_000),
  });
  await answer.arrayBuffer();
  return answer.ok;
}
