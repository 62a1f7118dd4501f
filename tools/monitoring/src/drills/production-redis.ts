import { join } from 'node:path';
import {
  freePort,
  redisCommand,
  startProcess,
  temporaryFolder,
  waitFor,
  type RedisServer,
  type ServerProcess,
} from '@openclaw/test-support';
import { root } from '../repository.ts';

const passwords = {
  REDIS_PASSWORD: 'of-the-hubs',
  REDIS_REPLICATION_PASSWORD: 'of-the-replicas',
  REDIS_EXPORTER_PASSWORD: 'of-the-exporter',
  REDIS_ADMIN_PASSWORD: 'of-the-operator',
};

export const exporterPassword = passwords.REDIS_EXPORTER_PASSWORD;
export const replicationPassword = passwords.REDIS_REPLICATION_PASSWORD;
export const adminAuth = `admin ${passwords.REDIS_ADMIN_PASSWORD}`;

/** Uses the production configuration and users. `url` and `command` use the administrator. */
export interface ProductionRedis extends RedisServer {
  readonly hubUrl: string;
  /** The URL names no user. */
  readonly plainUrl: string;
}

export interface ProductionRedisOptions {
  readonly args?: readonly string[];
  /** @default a temporary folder */
  readonly dataFolder?: string;
  readonly masterPort?: number;
}

/** Runs infra/redis/start.sh and waits until the server answers. */
export async function startProductionRedis(
  options: ProductionRedisOptions = {},
): Promise<ProductionRedis> {
  const { args = [], dataFolder, masterPort } = options;
  const port = await freePort();
  const folder = await temporaryFolder('redis');
  const replication = {
    REDIS_SENTINELS: '127.0.0.1:1',
    REDIS_FIRST_MASTER: `127.0.0.1:${masterPort}`,
    REDIS_ANNOUNCE: `127.0.0.1:${port}`,
  };
  const command = (line: string) => redisCommand(port, line, adminAuth);
  let server: ServerProcess;

  async function start() {
    const script = join(root, 'infra/redis/start.sh');
    const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir'];
    server = startProcess('sh', [script, 'prod', ...place, dataFolder ?? folder.path, ...args], {
      cwd: folder.path,
      env: {
        PATH: process.env['PATH'],
        REDIS_RUN_DIR: join(folder.path, 'run'),
        REDIS_SECRETS_DIR: join(folder.path, 'secrets'),
        ...passwords,
        ...(masterPort !== undefined && replication),
      },
    });
    await waitFor(async () => /PONG/.test(await command('PING').catch(() => '')), {
      what: `Redis on ${port}`,
      timeoutMs: 15_000,
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${server.output()}`);
    });
  }

  await start();
  async function stop() {
    await server.stop('SIGKILL');
    await folder.remove();
  }

  const urlOf = (credentials: string) => `redis://${credentials}127.0.0.1:${port}`;
  return {
    port,
    url: urlOf(`admin:${passwords.REDIS_ADMIN_PASSWORD}@`),
    hubUrl: urlOf(`:${passwords.REDIS_PASSWORD}@`),
    plainUrl: urlOf(''),
    get pid() {
      return server.pid;
    },
    command,
    kill: () => server.stop('SIGKILL'),
    restart: start,
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
