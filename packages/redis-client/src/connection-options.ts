import type { ConnectionOptions } from 'node:tls';
import { RedisClientError } from './errors.ts';

/** One server's address. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** TLS settings as Node's `tls.connect` takes them: `ca`, `cert`, `key`, `servername`, `rejectUnauthorized`, … */
export type RedisTls = ConnectionOptions;

/** Where Redis is and how to enter. With `sentinels` or `cluster`, `host` and `port` are not used. */
export interface RedisConnection {
  /** `redis://[user[:password]@]host[:port][/db]`, or `rediss://` for TLS. The parts it names beat the fields below. */
  readonly url?: string;
  /** @default 'localhost' */
  readonly host?: string;
  /** @default 6379 */
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
  /** Keys only: pub/sub ignores it. Not on Cluster. @default 0 */
  readonly db?: number;
  /** @default false */
  readonly tls?: boolean | RedisTls;
  /** Asks these for the master instead of connecting to `host`. */
  readonly sentinels?: readonly RedisNode[];
  /** The master's name at the sentinels. @default 'openclaw' */
  readonly sentinelName?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** TLS towards the sentinels. @default as `tls` */
  readonly sentinelTls?: boolean | RedisTls;
  /** Nodes to start from; the rest of the cluster is asked of them. */
  readonly cluster?: readonly RedisNode[];
}

/** A {@link RedisConnection} with its URL taken apart, its defaults filled in and its values checked. */
export interface ResolvedConnection {
  readonly mode: 'standalone' | 'sentinel' | 'cluster';
  readonly node: RedisNode;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  readonly tls?: RedisTls;
  readonly sentinels: readonly RedisNode[];
  readonly sentinelName: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  readonly sentinelTls?: RedisTls;
  readonly cluster: readonly RedisNode[];
}

/** The parts that a Redis URL names. */
export interface RedisUrlParts {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
}

/** Takes a URL apart; null when it is not a Redis URL. Never throws, so that no message can quote a password. */
export function parseRedisUrl(text: string): RedisUrlParts | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') return null;
  const path = /^\/?(\d*)$/.exec(url.pathname);
  if (!path) return null;
  try {
    return {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost',
      port: url.port === '' ? 6379 : Number(url.port),
      tls: url.protocol === 'rediss:',
      ...(url.username && { username: decodeURIComponent(url.username) }),
      ...(url.password && { password: decodeURIComponent(url.password) }),
      ...(path[1] && { db: Number(path[1]) }),
    };
  } catch {
    return null;
  }
}

function invalid(message: string): RedisClientError {
  return new RedisClientError('invalid_options', message);
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

/** @throws {RedisClientError} `invalid_options`, naming the option and never quoting a password */
export function resolveConnection(options: RedisConnection): ResolvedConnection {
  const parts: Partial<RedisUrlParts> | null =
    options.url === undefined ? {} : parseRedisUrl(options.url);
  if (parts === null) throw invalid('url is not redis://… or rediss://…');
  if (options.sentinels && options.cluster)
    throw invalid('sentinels and cluster exclude each other');
  const { host = 'localhost', port = 6379, db = 0, username, password } = { ...options, ...parts };
  checkPort(port, 'port');
  if (!Number.isInteger(db) || db < 0) throw invalid('db is not a database number');
  if (options.cluster && db !== 0) throw invalid('db must be 0 on Cluster');
  if (options.sentinels) checkNodes(options.sentinels, 'sentinels');
  if (options.cluster) checkNodes(options.cluster, 'cluster');
  // Whoever asks for TLS in either place gets it: a password must not travel in clear because a URL lacks one letter.
  const tls = tlsOptions(options.tls || parts.tls);
  const sentinelTls = tlsOptions(options.sentinelTls ?? tls);
  return {
    mode: options.sentinels ? 'sentinel' : options.cluster ? 'cluster' : 'standalone',
    node: { host, port },
    db,
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
