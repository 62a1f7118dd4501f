import type { RedisConnection } from './connection-options.ts';
import { RedisClientError } from './errors.ts';

/** Options of {@link createRedisClient}. All times are milliseconds. */
export interface RedisClientOptions extends RedisConnection {
  /** Every command is answered or rejected within this time. @default 1000 */
  readonly commandTimeoutMs?: number;
  /** A connection attempt is given up after this time. @default 1000 */
  readonly connectTimeoutMs?: number;
  /** Both connections are asked this often whether they are alive. @default 250 */
  readonly heartbeatMs?: number;
  /** A heartbeat not answered within this time has failed. @default 500 */
  readonly heartbeatTimeoutMs?: number;
  /** This many failures (timeouts, lost connections) without a success between them open the breaker. @default 3 */
  readonly breakerFailures?: number;
  /** The longest pause between two attempts to connect; they never end. At most 500. @default 500 */
  readonly retryMaxMs?: number;
  /** Shown by CLIENT LIST; the subscriber's ends in `:sub`. @default 'openclaw' */
  readonly connectionName?: string;
  /** For jitter: 0 ≤ x < 1. @default Math.random */
  readonly random?: () => number;
}

/** What is not connection, with defaults. */
export type ClientSettings = Required<Omit<RedisClientOptions, keyof RedisConnection>>;

/** The defaults of {@link RedisClientOptions}. */
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

/** @throws {RedisClientError} `invalid_options` */
export function resolveSettings(options: RedisClientOptions): ClientSettings {
  const settings = { ...clientDefaults };
  for (const name of Object.keys(clientDefaults) as (keyof ClientSettings)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value === 'number' && !(Number.isInteger(value) && value > 0)) {
      throw new RedisClientError('invalid_options', `${name} must be a positive integer`);
    }
    Object.assign(settings, { [name]: value });
  }
  if (settings.retryMaxMs > 500) {
    // The promises about recovery rest on it.
    throw new RedisClientError('invalid_options', 'retryMaxMs must not exceed 500');
  }
  return settings;
}
