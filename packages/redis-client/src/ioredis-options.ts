import type { RedisOptions } from 'ioredis';
import type { ResolvedConnection } from './connection-options.ts';
import type { ClientSettings } from './options.ts';

/** What ioredis takes, without the option whose type depends on the class parameter. */
export type IoredisOptions = Omit<RedisOptions, 'replyMapping'>;

/** Pause before attempt `times` (1, 2, …): doubling from 50 ms up to `retryMaxMs`, the upper half of it random. */
export function retryDelayMs(times: number, { retryMaxMs, random }: ClientSettings): number {
  const ceilingMs = Math.min(retryMaxMs, 50 * 2 ** Math.min(times - 1, 10));
  return Math.round(ceilingMs * (0.5 + random() / 2));
}

/** The profile of every connection, whichever way the server is found. */
export function profile(connection: ResolvedConnection, settings: ClientSettings): IoredisOptions {
  const retry = (times: number) => retryDelayMs(times, settings);
  return {
    // RESP2 asks least of the server, of a proxy before it and of the user's ACL; replies are the same.
    protocol: 2,
    disableClientInfo: true,
    connectionName: settings.connectionName,
    db: connection.db,
    ...(connection.username && { username: connection.username }),
    ...(connection.password && { password: connection.password }),
    ...(connection.tls && { tls: connection.tls }),
    connectTimeout: settings.connectTimeoutMs,
    commandTimeout: settings.commandTimeoutMs,
    // A frozen server never answers our FIN; waiting for it would delay the next attempt.
    disconnectTimeout: 50,
    retryStrategy: retry,
    // Nothing may be held back and run later, when its caller has long been told that it failed.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // With 0, what was in flight is rejected as soon as the connection closes.
    maxRetriesPerRequest: 0,
    // Its own resubscription has no error handling: a refused topic would end the process.
    autoResubscribe: false,
    // Also what makes the Sentinel connector check the role of whom it found.
    enableReadyCheck: true,
    // A loading server is asked again this often.
    maxLoadingRetryTime: settings.retryMaxMs,
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

/** The profile with where to connect: one server, or the master that the sentinels name. */
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
    // Without it a subscriber of a frozen master stays silent and "ready" for ever.
    failoverDetector: true,
    sentinelCommandTimeout: settings.heartbeatTimeoutMs,
    sentinelRetryStrategy: retry,
    sentinelReconnectStrategy: retry,
  };
}
