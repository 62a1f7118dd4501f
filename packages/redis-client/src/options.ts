import type { ConnectionOptions } from 'node:tls';
import type { Cluster, Redis } from 'ioredis';
import { RedisClientError } from './errors.ts';
import { parseRedisUrl, type RedisUrlParts, type RedisUrlProblem } from './redis-url.ts';
import { resolveOptions } from './resolve-options.ts';

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** As for Node's `tls.connect`: `ca`, `cert`, `key`, `servername`, `rejectUnauthorized`, … */
export type RedisTls = ConnectionOptions;

/** With `sentinels` or `cluster`, `host` and `port` are not used. */
export interface RedisConnection {
  /**
   * `redis://[user[:password]@]host[:port][/db][?family=4|6]`, or `rediss://` for TLS. Also `valkey://`, `valkeys://`
   * (TLS) and `unix://[user[:password]@]/path[?db=n]`. Its parts override the other fields.
   */
  readonly url?: string;
  /** A host, or the absolute path of a Unix socket. @default 'localhost' */
  readonly host?: string;
  /** @default 6379 */
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
  /** The database of the keys. Pub/sub ignores it, and Cluster has only 0. @default 0 */
  readonly db?: number;
  /** @default false */
  readonly tls?: boolean | RedisTls;
  /** The IP version for host names. @default both */
  readonly family?: 4 | 6;
  /** The sentinels to ask for the master, instead of a `host`. */
  readonly sentinels?: readonly RedisNode[];
  /** The master's name at the sentinels. @default 'openclaw' */
  readonly sentinelName?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** TLS to the sentinels. @default the value of `tls` */
  readonly sentinelTls?: boolean | RedisTls;
  /** Some nodes of the Cluster, from which the client learns all nodes. */
  readonly cluster?: readonly RedisNode[];
  /** Maps each address (`host:port`) that a server announces to the address at which the client reaches it. */
  readonly natMap?: Readonly<Record<string, RedisNode>>;
}

/**
 * The caller's own connections. The client never closes them, but replaces a socket that does not answer. The
 * connections' own options apply: set `autoResendUnfulfilledCommands` to false if no write may run late or twice, and
 * `autoResubscribe` to false if an ACL may deny a topic.
 */
export interface BorrowedConnections {
  readonly commands: Redis | Cluster;
  /**
   * A connection for this client alone. Omit it with a Cluster.
   * @default a separate connection of the client to the same server
   */
  readonly subscriber?: Redis;
}

export interface RedisClientOptions extends RedisConnection {
  /** The caller's ioredis connections, instead of an address. */
  readonly connection?: Redis | Cluster | BorrowedConnections;
  /** A command without an answer within this time is rejected. @default 1000 */
  readonly commandTimeoutMs?: number;
  /**
   * The longest time of an attempt to connect, and the longest time that calls wait for the first connection.
   * @default 1000
   */
  readonly connectTimeoutMs?: number;
  /** The interval of pings on both connections. @default 250 */
  readonly heartbeatMs?: number;
  /** A ping without an answer within this time has failed. @default 500 */
  readonly heartbeatTimeoutMs?: number;
  /** The breaker opens after this many outages (timeouts, lost connections) in a row. @default 3 */
  readonly breakerFailures?: number;
  /** The longest pause between two attempts to connect, at most 500. Attempts never end. @default 500 */
  readonly retryMaxMs?: number;
  /** The name in CLIENT LIST. The subscriber's name ends in `:sub`. @default 'openclaw' */
  readonly connectionName?: string;
  /** Randomness for the pauses, in [0, 1). @default Math.random */
  readonly random?: () => number;
}

export type ClientSettings = Required<
  Omit<RedisClientOptions, keyof RedisConnection | 'connection'>
>;

export const clientDefaults: ClientSettings = {
  commandTimeoutMs: 1000,
  connectTimeoutMs: 1000,
  heartbeatMs: 250,
  heartbeatTimeoutMs: 500,
  breakerFailures: 3,
  retryMaxMs: 500,
  connectionName: 'openclaw',
  random: Math.random,
};

function invalid(message: string): RedisClientError {
  return new RedisClientError('invalid_options', message);
}

/** @throws {RedisClientError} `invalid_options` */
export function resolveSettings(options: RedisClientOptions): ClientSettings {
  const settings = resolveOptions(clientDefaults, options, RedisClientError);
  // The documented recovery times depend on this limit.
  if (settings.retryMaxMs > 500) throw invalid('retryMaxMs must not exceed 500');
  return settings;
}

type Fields<K extends keyof RedisConnection> = Pick<RedisConnection, K>;

export interface ResolvedConnection
  extends
    Fields<'username' | 'password' | 'sentinelUsername' | 'sentinelPassword' | 'family' | 'natMap'>,
    Required<Fields<'db' | 'sentinels' | 'sentinelName' | 'cluster'>> {
  readonly mode: 'standalone' | 'sentinel' | 'cluster';
  readonly node: RedisNode | { readonly path: string };
  readonly tls?: RedisTls;
  readonly sentinelTls?: RedisTls;
}

function checkPort(port: number, name: string): void {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalid(`${name} is not a port`);
}

function checkNodes(nodes: readonly RedisNode[], name: string): void {
  if (nodes.length === 0) throw invalid(`${name} names no server`);
  nodes.forEach(({ host, port }, index) => {
    if (!host) throw invalid(`${name}[${index}].host is empty`);
    checkPort(port, `${name}[${index}].port`);
  });
}

function tlsOptions(tls: boolean | RedisTls | undefined): RedisTls | undefined {
  return tls === true ? {} : tls || undefined;
}

/** No error's message quotes a password. @throws {RedisClientError} `invalid_options` */
export function resolveConnection(options: RedisConnection): ResolvedConnection {
  const parts: Partial<RedisUrlParts> | RedisUrlProblem =
    options.url === undefined ? {} : parseRedisUrl(options.url);
  if ('problem' in parts) throw invalid(`url ${parts.problem}`);
  if (options.sentinels && options.cluster)
    throw invalid('sentinels and cluster exclude each other');
  const {
    host = 'localhost',
    port = 6379,
    db = 0,
    username,
    password,
    family,
    natMap,
  } = { ...options, ...parts };
  checkPort(port, 'port');
  if (natMap) checkNodes(Object.values(natMap), 'natMap');
  if (!Number.isInteger(db) || db < 0) throw invalid('db is not a database number');
  if (options.cluster && db !== 0) throw invalid('db must be 0 on Cluster');
  if (options.sentinels) checkNodes(options.sentinels, 'sentinels');
  if (options.cluster) checkNodes(options.cluster, 'cluster');
  // TLS is on if the URL or the option asks for it. A `redis:` URL does not turn off the option's TLS, because the
  // password would then go unencrypted.
  const tls = tlsOptions(options.tls || parts.tls);
  const sentinelTls = tlsOptions(options.sentinelTls ?? tls);
  const mode = options.sentinels ? 'sentinel' : options.cluster ? 'cluster' : 'standalone';
  const isSocket = host.startsWith('/');
  if (isSocket && tls && mode === 'standalone') throw invalid('a Unix socket has no TLS');
  return {
    mode,
    node: isSocket ? { path: host } : { host, port },
    db,
    ...(family && { family }),
    ...(natMap && { natMap }),
    ...(username && { username }),
    ...(password && { password }),
    ...(tls && { tls }),
    sentinels: options.sentinels ?? [],
    sentinelName: options.sentinelName ?? 'openclaw',
    ...(options.sentinelUsername && { sentinelUsername: options.sentinelUsername }),
    ...(options.sentinelPassword && { sentinelPassword: options.sentinelPassword }),
    ...(sentinelTls && { sentinelTls }),
    cluster: options.cluster ?? [],
  };
}
