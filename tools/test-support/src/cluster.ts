import { freePort, waitFor } from './processes.ts';
import { redisCommand, startRedis, type RedisServer } from './redis-server.ts';

/** The cluster has three masters with one replica each, on free loopback ports. */
export interface ClusterDeployment extends AsyncDisposable {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** The initial masters come first, then their replicas. Failovers change the roles, not the order. */
  readonly servers: readonly RedisServer[];
  masterOf(key: string): Promise<RedisServer>;
  /** Moves the slot of `key` with its keys to another master, and resolves with that master. */
  moveSlotOf(key: string): Promise<RedisServer>;
  /** Waits until `key` has another master than `old` and the cluster is ok. Resolves with the new master. */
  failedOver(key: string, old: RedisServer): Promise<RedisServer>;
  stop(): Promise<void>;
}

const host = '127.0.0.1';
const masterCount = 3;
const slotCount = 16_384;

/** Waits until every node reports the cluster as ok and every replica is in sync. */
export async function startCluster({ nodeTimeoutMs = 1000 } = {}): Promise<ClusterDeployment> {
  const servers = await Promise.all(
    Array.from({ length: 2 * masterCount }, async () =>
      startRedis({
        args: [
          '--cluster-enabled',
          'yes',
          '--cluster-node-timeout',
          String(nodeTimeoutMs),
          // The default bus port is the port plus 10000, which may exceed 65535.
          '--cluster-port',
          String(await freePort()),
          '--cluster-announce-ip',
          host,
          '--repl-diskless-sync-delay',
          '0',
          '--cluster-replica-validity-factor',
          '0',
        ],
      }),
    ),
  );
  const masters = servers.slice(0, masterCount);
  const ids = new Map<RedisServer, string>();
  for (const server of servers) {
    ids.set(server, bulk(await server.command('CLUSTER MYID')));
  }
  const busPort = async (server: RedisServer) =>
    bulk(
      (await server.command('CONFIG GET cluster-port')).replace(/^\*2\r\n\$\d+\r\n[^\r]+\r\n/, ''),
    );
  const [first] = servers as [RedisServer];
  for (const server of servers.slice(1)) {
    await first.command(`CLUSTER MEET ${host} ${server.port} ${await busPort(server)}`);
  }
  for (const [index, master] of masters.entries()) {
    const from = Math.ceil((slotCount / masterCount) * index);
    const to = Math.ceil((slotCount / masterCount) * (index + 1)) - 1;
    await master.command(`CLUSTER ADDSLOTSRANGE ${from} ${to}`);
  }
  await untilAll(async ({ port }) =>
    (await redisCommand(port, 'CLUSTER INFO')).includes(`cluster_known_nodes:${servers.length}`),
  );
  for (const [index, replica] of servers.slice(masterCount).entries()) {
    const master = masters[index] as RedisServer;
    await waitFor(
      async () => (await replica.command(`CLUSTER REPLICATE ${ids.get(master)}`)).startsWith('+OK'),
      { what: 'a replica that knows its master', everyMs: 50 },
    );
  }
  await untilAll(async (server) => {
    if (!(await isWhole(server))) return false;
    return (
      masters.includes(server) ||
      /master_link_status:up/.test(await server.command('INFO replication'))
    );
  });

  async function untilAll(condition: (server: RedisServer) => Promise<boolean>): Promise<void> {
    await waitFor(
      async () =>
        (await Promise.all(servers.map((server) => condition(server).catch(() => false)))).every(
          Boolean,
        ),
      { what: 'the cluster', timeoutMs: 20_000, everyMs: 50 },
    );
  }
  async function isWhole({ port }: RedisServer): Promise<boolean> {
    return (await redisCommand(port, 'CLUSTER INFO')).includes('cluster_state:ok');
  }
  async function slotOf(key: string): Promise<number> {
    for (const server of servers) {
      const reply = await server.command(`CLUSTER KEYSLOT ${key}`).catch(() => '');
      if (reply.startsWith(':')) return Number(reply.slice(1));
    }
    throw new Error('no node answers');
  }
  async function masterOf(key: string): Promise<RedisServer> {
    const slot = await slotOf(key);
    for (const server of servers) {
      const nodes = await server.command('CLUSTER NODES').catch(() => '');
      for (const line of nodes.split('\n')) {
        const [, address, flags, , , , , , ...ranges] = line.trim().split(' ');
        if (!flags?.includes('master') || flags.includes('fail')) continue;
        const owns = ranges.some((range) => {
          const [from, to = from] = range.split('-').map(Number);
          return from !== undefined && to !== undefined && from <= slot && slot <= to;
        });
        const port = Number(/:(\d+)@/.exec(address ?? '')?.[1]);
        const owner = servers.find((candidate) => candidate.port === port);
        if (owns && owner) return owner;
      }
    }
    throw new Error(`no node serves slot ${slot}`);
  }

  async function stop() {
    await Promise.all(servers.map((server) => server.stop()));
  }

  return {
    nodes: servers.map(({ port }) => ({ host, port })),
    servers,
    masterOf,
    async moveSlotOf(key) {
      const slot = await slotOf(key);
      const source = await masterOf(key);
      const target = masters.find((server) => server !== source) as RedisServer;
      await target.command(`CLUSTER SETSLOT ${slot} IMPORTING ${ids.get(source)}`);
      await source.command(`CLUSTER SETSLOT ${slot} MIGRATING ${ids.get(target)}`);
      const names = await source.command(`CLUSTER GETKEYSINSLOT ${slot} 1000`);
      for (const name of names
        .split('\r\n')
        .slice(2)
        .filter((_, index) => index % 2 === 0)) {
        await source.command(`MIGRATE ${host} ${target.port} ${name} 0 1000`);
      }
      for (const server of [target, source, ...masters]) {
        await server.command(`CLUSTER SETSLOT ${slot} NODE ${ids.get(target)}`);
      }
      return target;
    },
    failedOver: (key, old) =>
      waitFor(
        async () => {
          const owner = await masterOf(key).catch(() => old);
          return owner !== old && (await isWhole(owner)) ? owner : null;
        },
        { what: 'the failover', timeoutMs: 20_000, everyMs: 20 },
      ),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function bulk(reply: string): string {
  return reply.split('\r\n').at(-1) ?? '';
}
