import { RedisClientError } from './errors.ts';
import {
  parseRedisUrl,
  type RedisConnection,
  type RedisNode,
  type RedisUrlParts,
} from './options.ts';

const names = [
  'REDIS_HOST',
  'REDIS_PORT',
  'REDIS_PASSWORD',
  'REDIS_DB',
  'REDIS_URL',
  'CHAT_REDIS_HOST',
  'CHAT_REDIS_PORT',
  'CHAT_REDIS_PASSWORD',
  'CHAT_REDIS_DB',
  'CHAT_REDIS_URL',
  'CHAT_REDIS_TLS',
  'CHAT_REDIS_SENTINELS',
  'CHAT_REDIS_SENTINEL_NAME',
  'CHAT_REDIS_CLUSTER',
];

function invalid(name: string, problem: string): RedisClientError {
  return new RedisClientError('invalid_options', `${name} ${problem}`);
}

function parseSwitch(text: string): boolean | undefined {
  if (['true', '1', 'yes', 'on'].includes(text.toLowerCase())) return true;
  if (['false', '0', 'no', 'off'].includes(text.toLowerCase())) return false;
  return undefined;
}

/**
 * Reads the address of Redis from `REDIS_HOST`, `REDIS_PORT`, `REDIS_PASSWORD`, `REDIS_DB` and `REDIS_URL`. The same
 * name with the prefix `CHAT_` overrides each. Also reads `CHAT_REDIS_TLS`, `CHAT_REDIS_SENTINELS`
 * (`host:port,host:port`), `CHAT_REDIS_SENTINEL_NAME` and `CHAT_REDIS_CLUSTER` (`true`, or some nodes as
 * `host:port,host:port`). An empty variable counts as unset. The parts of a URL override the other variables of its
 * level, but never switch TLS off. Returns null when nothing is set.
 * @throws {RedisClientError} `invalid_options`, naming the variable and never its value
 */
export function parseRedisEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): RedisConnection | null {
  if (!names.some((name) => env[name]?.trim())) return null;

  /** Reads a variable. An empty one counts as unset. */
  const read = (name: string) => env[name]?.trim() || undefined;

  function readInteger(name: string, min: number, what: string): number | undefined {
    const text = read(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > 65_535) throw invalid(name, `is not ${what}`);
    return value;
  }

  function readSwitch(name: string): boolean | undefined {
    const text = read(name);
    if (text === undefined) return undefined;
    const value = parseSwitch(text);
    if (value === undefined) throw invalid(name, 'is neither true nor false');
    return value;
  }

  function readNodes(name: string): RedisNode[] | undefined {
    return read(name)
      ?.split(',')
      .map((text) => {
        const [, host, port] = /^\s*(?:\[?([^\s,\]]+?)\]?):(\d+)\s*$/.exec(text) ?? [];
        if (!host || !port || Number(port) < 1 || Number(port) > 65_535) {
          throw invalid(name, 'is not host:port,host:port,…');
        }
        return { host, port: Number(port) };
      });
  }

  /** Reads one level. The parts of its URL override its other variables. */
  function readLevel(level: 'REDIS_' | 'CHAT_REDIS_'): Partial<RedisUrlParts> {
    const host = read(`${level}HOST`);
    const port = readInteger(
      `${level}PORT`,
      1,
      'a port (1 to 65535; Kubernetes sets such names unless enableServiceLinks is false)',
    );
    // Not trimmed, because a password may begin or end with a space.
    const password = env[`${level}PASSWORD`];
    const db = readInteger(`${level}DB`, 0, 'a database number');
    const url = read(`${level}URL`);
    const parts = url === undefined ? {} : parseRedisUrl(url);
    if (!parts) throw invalid(`${level}URL`, 'is not redis://… or rediss://…');
    return {
      ...(host !== undefined && { host }),
      ...(port !== undefined && { port }),
      ...(password && { password }),
      ...(db !== undefined && { db }),
      ...parts,
    };
  }

  const base = readLevel('REDIS_');
  const chat = readLevel('CHAT_REDIS_');
  const { host = 'localhost', port = 6379, password, db = 0 } = { ...base, ...chat };
  const chatHasUrl = chat.tls !== undefined;
  // A level that has a URL and a password does not inherit the username of the level below.
  const username = chatHasUrl && chat.password ? chat.username : (chat.username ?? base.username);
  const tlsSwitch = readSwitch('CHAT_REDIS_TLS');
  // With a URL, the switch can only add TLS: a password must not be sent unencrypted because a URL has `redis:` instead
  // of `rediss:`.
  const tls = chatHasUrl ? chat.tls || tlsSwitch : (tlsSwitch ?? base.tls);
  const sentinels = readNodes('CHAT_REDIS_SENTINELS');
  const sentinelName = read('CHAT_REDIS_SENTINEL_NAME');
  const isCluster = parseSwitch(read('CHAT_REDIS_CLUSTER') ?? 'false');
  // `true` stands for the configured host and port.
  const ownNode = isCluster ? [{ host, port }] : undefined;
  const cluster = isCluster === undefined ? readNodes('CHAT_REDIS_CLUSTER') : ownNode;
  if (sentinels && cluster)
    throw invalid('CHAT_REDIS_CLUSTER', 'and CHAT_REDIS_SENTINELS exclude each other');
  if (cluster && db !== 0) {
    throw invalid(chat.db === undefined ? 'REDIS_DB' : 'CHAT_REDIS_DB', 'must be 0 on Cluster');
  }
  return {
    host,
    port,
    db,
    ...(username && { username }),
    ...(password && { password }),
    ...(tls && { tls }),
    ...(sentinels && { sentinels }),
    ...(sentinels && sentinelName && { sentinelName }),
    ...(cluster && { cluster }),
  };
}
