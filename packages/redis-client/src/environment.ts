import { createSecureContext } from 'node:tls';
import type { RedisClientOptions, RedisConnection, RedisTls } from './options.ts';
import { parseRedisUrl, type RedisUrlParts, type RedisUrlProblem } from './redis-url.ts';
import { createSettingReader, invalid, parseSwitch } from './setting-reader.ts';

const tlsFiles = [
  'CHAT_REDIS_TLS_CA_FILE',
  'CHAT_REDIS_TLS_CERT_FILE',
  'CHAT_REDIS_TLS_KEY_FILE',
] as const;

const names = [
  'REDIS_HOST',
  'REDIS_PORT',
  'REDIS_USERNAME',
  'REDIS_PASSWORD',
  'REDIS_PASSWORD_FILE',
  'REDIS_DB',
  'REDIS_URL',
  'REDIS_URL_FILE',
  'CHAT_REDIS_HOST',
  'CHAT_REDIS_PORT',
  'CHAT_REDIS_USERNAME',
  'CHAT_REDIS_PASSWORD',
  'CHAT_REDIS_PASSWORD_FILE',
  'CHAT_REDIS_DB',
  'CHAT_REDIS_URL',
  'CHAT_REDIS_URL_FILE',
  'CHAT_REDIS_TLS',
  ...tlsFiles,
  'CHAT_REDIS_TLS_SERVERNAME',
  'CHAT_REDIS_SENTINELS',
  'CHAT_REDIS_SENTINEL_NAME',
  'CHAT_REDIS_SENTINEL_USERNAME',
  'CHAT_REDIS_SENTINEL_PASSWORD',
  'CHAT_REDIS_SENTINEL_PASSWORD_FILE',
  'CHAT_REDIS_SENTINEL_TLS',
  'CHAT_REDIS_CLUSTER',
  'CHAT_REDIS_NAT_MAP',
  'CHAT_REDIS_HEARTBEAT_MS',
];

const heartbeatMaxMs = 60_000;

export type RedisSettings = RedisConnection & Pick<RedisClientOptions, 'heartbeatMs'>;

/**
 * Reads the address of Redis from `REDIS_HOST` (or the path of a Unix socket), `REDIS_PORT`, `REDIS_USERNAME`,
 * `REDIS_PASSWORD`, `REDIS_DB` and `REDIS_URL`. Each is overridden by the variable with the prefix `CHAT_`, for example
 * `CHAT_REDIS_HOST`. Further variables have the prefix `CHAT_REDIS_`:
 * - `TLS`, `TLS_CA_FILE`, `TLS_CERT_FILE` and `TLS_KEY_FILE` (PEM), `TLS_SERVERNAME`
 * - `SENTINELS` (`host:port,host:port`), `SENTINEL_NAME`, `SENTINEL_USERNAME`, `SENTINEL_PASSWORD`, `SENTINEL_TLS`
 * - `CLUSTER` (`true`, or some nodes as `host:port,host:port`), `NAT_MAP` (`announced=reachable,…`, each `host:port`)
 * - `HEARTBEAT_MS`
 *
 * For a password or URL, a variable with the suffix `_FILE` can name a file that contains it. An empty variable counts
 * as unset. The parts of a URL override the other variables with the same prefix, but never switch TLS off. Returns
 * null when nothing is set.
 * @throws {RedisClientError} `invalid_options`, naming the variable and never its value
 */
export function parseRedisEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): RedisSettings | null {
  if (!names.some((name) => env[name]?.trim())) return null;

  const { read, readFile, readSecret, readInteger, readSwitch, readNodes, readNatMap } =
    createSettingReader(env);

  /** TLS settings without TLS are an error, because they show that the user wants TLS. */
  function readTls(isOn: boolean | undefined): boolean | RedisTls | undefined {
    const [ca, cert, key] = tlsFiles.map((name) => readFile(name));
    const servername = read('CHAT_REDIS_TLS_SERVERNAME');
    const given = [...tlsFiles, 'CHAT_REDIS_TLS_SERVERNAME'].find((name) => read(name));
    if (given === undefined) return isOn;
    if (!isOn) throw invalid(given, 'needs TLS: set CHAT_REDIS_TLS=true, or a URL with rediss://');
    const [caName, certName, keyName] = tlsFiles;
    if (cert && !key) throw invalid(certName, `needs ${keyName} too`);
    if (key && !cert) throw invalid(keyName, `needs ${certName} too`);
    if (ca) checkPem(caName, { ca });
    if (cert && key) checkPem(certName, { cert, key });
    return {
      ...(ca && { ca }),
      ...(cert && key && { cert, key }),
      ...(servername && { servername }),
    };
  }

  /** The parts of the URL override the other variables. */
  function readLevel(level: 'REDIS_' | 'CHAT_REDIS_'): Partial<RedisUrlParts> {
    const host = read(`${level}HOST`);
    const port = readInteger(
      `${level}PORT`,
      1,
      'a port (1 to 65535; Kubernetes sets such names unless enableServiceLinks is false)',
    );
    const username = read(`${level}USERNAME`);
    // Not trimmed, because a password may begin or end with a space.
    const password = readSecret(`${level}PASSWORD`);
    const db = readInteger(`${level}DB`, 0, 'a database number');
    const url = readSecret(`${level}URL`)?.trim();
    const parts: Partial<RedisUrlParts> | RedisUrlProblem = url ? parseRedisUrl(url) : {};
    if ('problem' in parts) throw invalid(`${level}URL`, parts.problem);
    return {
      ...(host !== undefined && { host }),
      ...(port !== undefined && { port }),
      ...(username && { username }),
      ...(password && { password }),
      ...(db !== undefined && { db }),
      ...parts,
    };
  }

  const base = readLevel('REDIS_');
  const chat = readLevel('CHAT_REDIS_');
  const { host = 'localhost', port = 6379, password, db = 0 } = { ...base, ...chat };
  const chatHasUrl = chat.tls !== undefined;
  const { family } = chatHasUrl ? chat : base;
  // The password of a `CHAT_` URL does not belong to the username of a variable without `CHAT_`.
  const username = chatHasUrl && chat.password ? chat.username : (chat.username ?? base.username);
  const tlsSwitch = readSwitch('CHAT_REDIS_TLS');
  // With a `CHAT_` URL, TLS is on if the URL or the switch asks for it. Neither can turn off the TLS that the other
  // asks for, because the password would then go unencrypted.
  const tls = readTls(chatHasUrl ? chat.tls || tlsSwitch : (tlsSwitch ?? base.tls));
  const sentinels = readNodes('CHAT_REDIS_SENTINELS');
  const sentinelName = read('CHAT_REDIS_SENTINEL_NAME');
  const isCluster = parseSwitch(read('CHAT_REDIS_CLUSTER') ?? 'false');
  const isSocket = host.startsWith('/');
  if (isSocket && isCluster) throw invalid('CHAT_REDIS_CLUSTER', 'needs a host, not a Unix socket');
  // `true` stands for the configured host and port.
  const ownNode = isCluster ? [{ host, port }] : undefined;
  const cluster = isCluster === undefined ? readNodes('CHAT_REDIS_CLUSTER') : ownNode;
  if (sentinels && cluster)
    throw invalid('CHAT_REDIS_CLUSTER', 'and CHAT_REDIS_SENTINELS exclude each other');
  if (cluster && db !== 0) {
    throw invalid(chat.db === undefined ? 'REDIS_DB' : 'CHAT_REDIS_DB', 'must be 0 on Cluster');
  }
  if (isSocket && tls && !sentinels && !cluster)
    throw invalid('CHAT_REDIS_TLS', 'does not apply to a Unix socket');
  const sentinelUsername = read('CHAT_REDIS_SENTINEL_USERNAME');
  const sentinelPassword = readSecret('CHAT_REDIS_SENTINEL_PASSWORD');
  const sentinelTls = readSwitch('CHAT_REDIS_SENTINEL_TLS');
  const natMap = readNatMap('CHAT_REDIS_NAT_MAP');
  const heartbeatMs = readInteger(
    'CHAT_REDIS_HEARTBEAT_MS',
    50,
    `between 50 and ${heartbeatMaxMs} ms`,
    heartbeatMaxMs,
  );
  return {
    host,
    port,
    db,
    ...(family && { family }),
    ...(username && { username }),
    ...(password && { password }),
    ...(tls && { tls }),
    ...(sentinels && { sentinels }),
    ...(sentinels && sentinelName && { sentinelName }),
    ...(sentinels && sentinelUsername && { sentinelUsername }),
    ...(sentinels && sentinelPassword && { sentinelPassword }),
    // The sentinels use the TLS settings of the servers, such as the certificate authority.
    ...(sentinels &&
      sentinelTls !== undefined && { sentinelTls: sentinelTls && (tls || sentinelTls) }),
    ...(cluster && { cluster }),
    ...(natMap && { natMap }),
    ...(heartbeatMs && { heartbeatMs }),
  };
}

function checkPem(name: string, files: Pick<RedisTls, 'ca' | 'cert' | 'key'>): void {
  try {
    if (files.ca && !String(files.ca).includes('-----BEGIN CERTIFICATE-----'))
      throw new Error('it holds no certificate in PEM form');
    createSecureContext(files);
  } catch (error) {
    // OpenSSL's messages contain no part of the files.
    throw invalid(name, `cannot be used: ${(error as Error).message}`);
  }
}
