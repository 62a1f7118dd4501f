import { Redis } from 'ioredis';
import { RedisClientError, toClientError } from './errors.ts';
import { within } from './heartbeat.ts';
import { type IoredisOptions, serverOptions } from './ioredis-options.ts';
import {
  clientDefaults,
  type ClientSettings,
  type RedisConnection,
  resolveConnection,
  type ResolvedConnection,
} from './options.ts';
import { destroySocket, toWire } from './server-connection.ts';
import type { RedisCommand, RedisReply } from './transport.ts';

/** A call is never repeated. It fails if the connection is lost. */
export interface RedisServerLink {
  /** `host:port`, or the path of a Unix socket. */
  readonly address: string;
  /** Null when the user may not read INFO. */
  readonly role: 'master' | 'replica' | null;
  /** @throws {RedisClientError} `unavailable`, `timeout`, `rejected` */
  call(command: RedisCommand): Promise<RedisReply>;
  /** One round trip. Each result is a reply or the {@link RedisClientError} of its command. */
  batch(commands: readonly RedisCommand[]): Promise<RedisReply[]>;
}

export interface RedisServers {
  readonly mode: 'standalone' | 'sentinel' | 'cluster';
  /** The named server, the master that sentinels name, or one server per shard. */
  readonly servers: readonly RedisServerLink[];
  close(): void;
}

export interface RedisServersOptions {
  /** Limits each command and each attempt to connect. @default 3000 */
  readonly timeoutMs?: number;
  /** The name in CLIENT LIST. @default 'openclaw-tool' */
  readonly connectionName?: string;
  /** On Cluster, reads each shard from a replica if it has one. @default false */
  readonly preferReplicas?: boolean;
}

interface OpenLink extends RedisServerLink {
  readonly isCluster: boolean;
  close(): void;
}

/**
 * Connects once to each server, for tools that look at the servers themselves. Accepts a server that refuses writes,
 * and never reconnects. Finds a Cluster by any of its nodes. Costs INFO per server, and CLUSTER SLOTS on a Cluster.
 * @throws {RedisClientError} `invalid_options`; `unavailable`, `timeout` or `rejected` for the first server that fails
 */
export async function openRedisServers(
  connection: RedisConnection,
  options: RedisServersOptions = {},
): Promise<RedisServers> {
  const resolved = resolveConnection(connection);
  const { timeoutMs = 3000, connectionName = 'openclaw-tool', preferReplicas = false } = options;
  const settings: ClientSettings = {
    ...clientDefaults,
    commandTimeoutMs: timeoutMs,
    connectTimeoutMs: timeoutMs,
    connectionName,
  };
  const open: OpenLink[] = [];
  const close = () => open.forEach((link) => link.close());
  const connect = async (at: ResolvedConnection) => {
    const link = await openLink(onceOnly(serverOptions(at, settings)), timeoutMs);
    open.push(link);
    return link;
  };
  try {
    const first = await connectFirst(resolved, connect);
    // If the user may not read INFO, only the configured mode shows that the server belongs to a Cluster.
    if (!first.isCluster && resolved.mode !== 'cluster') {
      const mode = resolved.mode === 'sentinel' ? 'sentinel' : 'standalone';
      return { mode, servers: [first], close };
    }
    const servers: OpenLink[] = [];
    for (const { host, port } of await shardsOf(first, preferReplicas)) {
      // An empty host means the server that answered.
      const named = { host: host || first.address.replace(/:\d+$/, ''), port };
      const node = resolved.natMap?.[`${named.host}:${named.port}`] ?? named;
      const known = open.find(({ address }) => address === `${node.host}:${port}`);
      const link = known ?? (await connect({ ...resolved, mode: 'standalone', node }));
      // Without READONLY, a replica redirects every read to its master.
      if (link.role !== 'master') await link.call(['READONLY']);
      servers.push(link);
    }
    return { mode: 'cluster', servers, close };
  } catch (error) {
    close();
    throw toClientError(error);
  }
}

/** On a Cluster, the first node that answers is enough. */
async function connectFirst(
  resolved: ResolvedConnection,
  connect: (at: ResolvedConnection) => Promise<OpenLink>,
): Promise<OpenLink> {
  if (resolved.mode !== 'cluster') return connect(resolved);
  let failure: unknown;
  for (const node of resolved.cluster) {
    try {
      return await connect({ ...resolved, mode: 'standalone', node });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function onceOnly(options: IoredisOptions): IoredisOptions {
  return {
    ...options,
    lazyConnect: true,
    // The ready check would wait while a server loads its data, and warn when the user may not read INFO.
    enableReadyCheck: false,
    retryStrategy: () => null,
    reconnectOnError: () => false,
    ...(options.sentinels && {
      sentinelRetryStrategy: () => null,
      sentinelReconnectStrategy: () => null,
      failoverDetector: false,
    }),
  };
}

async function openLink(options: IoredisOptions, timeoutMs: number): Promise<OpenLink> {
  const redis = new Redis(options);
  let lastError: Error | null = null;
  redis.on('error', (error) => (lastError = error));
  const close = () => {
    redis.disconnect();
    destroySocket(redis);
  };
  const call = async (command: RedisCommand): Promise<RedisReply> => {
    try {
      return await redis.call(...toWire(command));
    } catch (error) {
      throw toClientError(error);
    }
  };
  try {
    await within(redis.connect(), timeoutMs, noAnswer);
    await call(['PING']);
    const info = String(
      await call(['INFO']).catch((error: unknown) => {
        if (error instanceof RedisClientError && error.code === 'rejected') return '';
        throw error;
      }),
    );
    const role = /^role:(\w+)/m.exec(info)?.[1];
    const { remoteAddress, remotePort } = redis.stream as Redis['stream'] & {
      remoteAddress?: string;
      remotePort?: number;
    };
    return {
      address: options.sentinels
        ? `${remoteAddress}:${remotePort}`
        : (options.path ?? `${options.host}:${options.port}`),
      role: role === undefined ? null : role === 'master' ? 'master' : 'replica',
      isCluster: /^cluster_enabled:1/m.test(info),
      call,
      batch: async (commands) =>
        (await Promise.allSettled(commands.map(call))).map((outcome) =>
          outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as RedisClientError),
        ),
      close,
    };
  } catch (error) {
    close();
    // The rejection says only "Connection is closed.", but an earlier `error` event has the reason.
    throw toClientError(error instanceof RedisClientError ? error : (lastError ?? error));
  }
}

const noAnswer = () => new RedisClientError('timeout', 'Redis did not answer in time');

interface Node {
  readonly host: string;
  readonly port: number;
}

async function shardsOf(link: RedisServerLink, preferReplicas: boolean): Promise<Node[]> {
  const ranges = (await link.call(['CLUSTER', 'SLOTS'])) as unknown[][];
  const shards = new Map<string, Node>();
  for (const [, , master, replica] of ranges) {
    const [host, port] = ((preferReplicas && replica) || master) as [string | null, number];
    shards.set(`${host}:${port}`, { host: host ?? '', port: Number(port) });
  }
  if (shards.size === 0) {
    throw new RedisClientError('unavailable', 'Redis is unavailable: the Cluster serves no slot');
  }
  return [...shards.values()];
}
