import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  freePort,
  startProcess,
  temporaryFolder,
  waitFor,
  type ServerProcess,
} from './processes.ts';
import { redisCommand, startRedis, type RedisServer } from './redis-server.ts';

export interface SentinelDeployment extends AsyncDisposable {
  /** The sentinels know the master by this name. */
  readonly name: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** The initial master comes first, then the replicas. Failovers change the roles, not the order. */
  readonly servers: readonly RedisServer[];
  masterPort(): Promise<number>;
  killMaster(): Promise<RedisServer>;
  freezeMaster(): Promise<RedisServer>;
  /** Resolves with the new master's port when the sentinels name it and it is a master. */
  failedOver(oldPort: number): Promise<number>;
  stop(): Promise<void>;
}

export interface SentinelOptions {
  /** @default 2 */
  readonly replicas?: number;
  /** @default 3 */
  readonly sentinels?: number;
  /** @default 2 */
  readonly quorum?: number;
  /** The sentinels use this value for down-after-milliseconds. @default 1000 */
  readonly downAfterMs?: number;
  /** @default 'openclaw' */
  readonly name?: string;
}

const host = '127.0.0.1';

async function info(port: number, section: string): Promise<string> {
  return redisCommand(port, `INFO ${section}`).catch(() => '');
}

/** Waits until a failover can succeed: replicas are in sync, and the sentinels know all nodes. */
export async function startSentinel(options: SentinelOptions = {}): Promise<SentinelDeployment> {
  const {
    replicas = 2,
    sentinels = 3,
    quorum = 2,
    downAfterMs = 1000,
    name = 'openclaw',
  } = options;
  const folder = await temporaryFolder('sentinel');
  // The default delay of a resync is 5 s.
  const args = ['--repl-diskless-sync-delay', '0', '--repl-timeout', '5'];
  const master = await startRedis({ args });
  const followers = await Promise.all(
    Array.from({ length: replicas }, () =>
      startRedis({ args: [...args, '--replicaof', host, String(master.port)] }),
    ),
  );
  const servers = [master, ...followers];
  await waitFor(
    async () =>
      (await Promise.all(followers.map(({ port }) => info(port, 'replication')))).every((text) =>
        text.includes('master_link_status:up'),
      ),
    { what: 'the replicas in sync', timeoutMs: 15_000, everyMs: 50 },
  );

  const watchers = await Promise.all(
    Array.from({ length: sentinels }, async (_, index) => {
      const port = await freePort();
      const file = join(folder.path, `sentinel-${index}.conf`);
      await writeFile(
        file,
        [
          `port ${port}`,
          `bind ${host}`,
          `dir ${folder.path}`,
          `sentinel monitor ${name} ${host} ${master.port} ${quorum}`,
          `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
          `sentinel failover-timeout ${name} 5000`,
          `sentinel parallel-syncs ${name} ${Math.max(1, replicas)}`,
          '',
        ].join('\n'),
      );
      return { port, process: startProcess('redis-server', [file, '--sentinel']) };
    }),
  );
  const knowsAll = `slaves=${replicas},sentinels=${sentinels}`;
  await waitFor(
    async () =>
      (await Promise.all(watchers.map(({ port }) => info(port, 'sentinel')))).every((text) =>
        text.includes(knowsAll),
      ),
    { what: `the sentinels' ${knowsAll}`, timeoutMs: 20_000, everyMs: 100 },
  );

  const stopProcess = (process: ServerProcess) => process.stop('SIGKILL');
  async function namedMaster(): Promise<number> {
    for (const { port } of watchers) {
      const reply = await redisCommand(port, `SENTINEL get-master-addr-by-name ${name}`).catch(
        () => '',
      );
      const found = /^\*2\r\n\$\d+\r\n[^\r]+\r\n\$\d+\r\n(\d+)/.exec(reply)?.[1];
      if (found) return Number(found);
    }
    throw new Error('no sentinel names a master');
  }
  async function currentMaster(): Promise<RedisServer> {
    const port = await namedMaster();
    const server = servers.find((candidate) => candidate.port === port);
    if (!server) throw new Error(`the sentinels name an unknown master on ${port}`);
    return server;
  }

  async function stop() {
    await Promise.all([
      ...watchers.map(({ process }) => stopProcess(process)),
      ...servers.map((server) => server.stop()),
    ]);
    await folder.remove();
  }

  return {
    name,
    sentinels: watchers.map(({ port }) => ({ host, port })),
    servers,
    masterPort: namedMaster,
    async killMaster() {
      const server = await currentMaster();
      await server.kill();
      return server;
    },
    async freezeMaster() {
      const server = await currentMaster();
      server.freeze();
      return server;
    },
    failedOver: (oldPort) =>
      waitFor(
        async () => {
          const port = await namedMaster();
          if (port === oldPort) return 0;
          return /^role:master/m.test(await info(port, 'replication')) ? port : 0;
        },
        { what: 'the failover', timeoutMs: 20_000, everyMs: 20 },
      ),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
