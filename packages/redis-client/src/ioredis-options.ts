import type { RedisOptions } from 'ioredis';
import type { ClientSettings, ResolvedConnection } from './options.ts';

/** The type of `replyMapping` depends on the type parameter of `Redis`, so it is left out. */
export type IoredisOptions = Omit<RedisOptions, 'replyMapping'>;

/**
 * The pause before attempt `times`, counted from 1. It is random, between half of a bound and the bound. The bound is
 * 50 ms at first, and doubles up to `retryMaxMs`.
 */
export function retryDelayMs(times: number, { retryMaxMs, random }: ClientSettings): number {
  const ceilingMs = Math.min(retryMaxMs, 50 * 2 ** Math.min(times - 1, 10));
  return Math.round(ceilingMs * (0.5 + random() / 2));
}

/** All options except the address. */
export function profile(connection: ResolvedConnection, settings: ClientSettings): IoredisOptions {
  const retry = (times: number) => retryDelayMs(times, settings);
  return {
    // More servers, proxies and ACLs work with RESP2 than with RESP3.
    protocol: 2,
    disableClientInfo: true,
    connectionName: settings.connectionName,
    db: connection.db,
    ...(connection.username && { username: connection.username }),
    ...(connection.password && { password: connection.password }),
    ...(connection.tls && { tls: connection.tls }),
    ...(connection.family && { family: connection.family }),
    connectTimeout: settings.connectTimeoutMs,
    commandTimeout: settings.commandTimeoutMs,
    // A frozen server never answers our FIN. A longer wait for it would delay the next attempt.
    disconnectTimeout: 50,
    retryStrategy: retry,
    // A queued command could run after its caller got an error.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // With 0, commands in flight are rejected as soon as the connection closes.
    maxRetriesPerRequest: 0,
    // ioredis does not handle errors of its own resubscription, so a refused topic would end the process.
    autoResubscribe: false,
    // Makes the Sentinel connector check the server's role.
    enableReadyCheck: true,
    // The longest pause between two attempts while the server loads its data.
    maxLoadingRetryTime: settings.retryMaxMs,
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

export function serverOptions(
  connection: ResolvedConnection,
  settings: ClientSettings,
): IoredisOptions {
  const common = profile(connection, settings);
  if (connection.mode !== 'sentinel') return { ...common, ...connection.node };
  const retry = (times: number) => retryDelayMs(times, settings);
  return {
    ...common,
    sentinels: connection.sentinels.map((node) => ({ ...node })),
    name: connection.sentinelName,
    ...(connection.sentinelUsername && { sentinelUsername: connection.sentinelUsername }),
    ...(connection.sentinelPassword && { sentinelPassword: connection.sentinelPassword }),
    ...(connection.sentinelTls && { sentinelTLS: connection.sentinelTls }),
    enableTLSForSentinelMode: connection.tls !== undefined,
    natMap: (announced) => sentinelAddress(connection, announced),
    // Otherwise the subscriber of a frozen master would stay "ready" and get no messages.
    failoverDetector: true,
    sentinelCommandTimeout: settings.heartbeatTimeoutMs,
    sentinelRetryStrategy: retry,
    sentinelReconnectStrategy: retry,
  };
}

/** ioredis applies `family` to the sentinels only, not to the server that they announce. */
function sentinelAddress({ natMap, family }: ResolvedConnection, announced: string) {
  const colon = announced.lastIndexOf(':');
  const address = { host: announced.slice(0, colon), port: Number(announced.slice(colon + 1)) };
  return { ...(natMap?.[announced] ?? address), ...(family && { family }) };
}
