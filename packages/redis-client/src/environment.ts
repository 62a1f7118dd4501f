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

type Environment = Readonly<Record<string, string | undefined>>;

function invalid(name: string, problem: string): RedisClientError {
  return new RedisClientError('invalid_options', `${name} ${problem}`);
}

/** Reads a variable. Empty means unset. */
function read(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

function readInteger(
  env: Environment,
  name: string,
  max: number,
  what: string,
): number | undefined {
  const text = read(env, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > max) throw invalid(name, `is not ${what}`);
  return value;
}

function readPort(env: Environment, name: string): number | undefined {
  const what = 'a port (1 to 65535; Kubernetes sets such names unless enableServiceLinks is false)';
  const port = readInteger(env, name, 65_535, what);
  if (port === 0) throw invalid(name, `is not ${what}`);
  return port;
}

function parseSwitch(text: string): boolean | undefined {
  if (['true', '1', 'yes', 'on'].includes(text.toLowerCase())) return true;
  if (['false', '0', 'no', 'off'].includes(text.toLowerCase())) return false;
  return undefined;
}

function readSwitch(env: Environment, name: string): boolean | undefined {
  const text = read(env, name);
  const value = text === undefined ? undefined : parseSwitch(text);
  if (text !== undefined && value === undefined) throw invalid(name, 'is neither true nor false');
  return value;
}

function readNodes(env: Environment, name: string): RedisNode[] | undefined {
  return read(env, name)
    ?.split(',')
    .map((text) => {
      const [, host, port] = /^\s*(?:\[?([^\s,\]]+?)\]?):(\d+)\s*$/.exec(text) ?? [];
      if (!host || !port || Number(port) < 1 || Number(port) > 65_535) {
        throw invalid(name, 'is not host:port,host:port,…');
      }
      return { host, port: Number(port) };
    });
}

/** Reads the nodes of the Cluster. `true` stands for the configured host and port. */
function readCluster(env: Environment, node: RedisNode): RedisNode[] | undefined {
  const name = 'CHAT_REDIS_CLUSTER';
  const isOn = parseSwitch(read(env, name) ?? 'false');
  if (isOn === undefined) return readNodes(env, name);
  return isOn ? [node] : undefined;
}

/** Reads one level. The parts of its URL win over its other variables. */
function readLevel(env: Environment, level: 'REDIS_' | 'CHAT_REDIS_'): Partial<RedisUrlParts> {
  const host = read(env, `${level}HOST`);
  const port = readPort(env, `${level}PORT`);
  // Not trimmed, because a password may begin or end with a space.
  const password = env[`${level}PASSWORD`];
  const db = readInteger(env, `${level}DB`, 65_535, 'a database number');
  const values = {
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(password && { password }),
    ...(db !== undefined && { db }),
  };
  const url = read(env, `${level}URL`);
  if (url === undefined) return values;
  const parts = parseRedisUrl(url);
  if (!parts) throw invalid(`${level}URL`, 'is not redis://… or rediss://…');
  return { ...values, ...parts };
}

/**
 * Reads the address of Redis from `REDIS_HOST`, `REDIS_PORT`, `REDIS_PASSWORD`, `REDIS_DB` and `REDIS_URL`. The same name
 * with the prefix `CHAT_` overrides each. Also reads `CHAT_REDIS_TLS`, `CHAT_REDIS_SENTINELS` (`host:port,host:port`),
 * `CHAT_REDIS_SENTINEL_NAME` and `CHAT_REDIS_CLUSTER` (`true`, or some nodes as `host:port,host:port`). Empty means unset.
 * The parts of a URL win over the other variables of its level. Returns null when nothing is set.
 * @throws {RedisClientError} `invalid_options`, naming the variable and never its value
 */
export function parseRedisEnvironment(env: Environment): RedisConnection | null {
  if (!names.some((name) => env[name]?.trim())) return null;
  const base = readLevel(env, 'REDIS_');
  const chat = readLevel(env, 'CHAT_REDIS_');
  const { host = 'localhost', port = 6379, password, db = 0 } = { ...base, ...chat };
  const chatHasUrl = chat.tls !== undefined;
  // With a URL and a password of its own, a level does not inherit the username of the level below.
  const username = chatHasUrl && chat.password ? chat.username : (chat.username ?? base.username);
  const tlsSwitch = readSwitch(env, 'CHAT_REDIS_TLS');
  // With a URL the switch can only add TLS: a password must not travel in clear because a URL lacks one letter.
  const tls = chatHasUrl ? chat.tls || tlsSwitch : (tlsSwitch ?? base.tls);
  const sentinels = readNodes(env, 'CHAT_REDIS_SENTINELS');
  const sentinelName = read(env, 'CHAT_REDIS_SENTINEL_NAME');
  const cluster = readCluster(env, { host, port });
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
