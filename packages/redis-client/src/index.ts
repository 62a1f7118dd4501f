export type { RoundTrip } from './availability.ts';
export { toBatches } from './batches.ts';
export type { Batch } from './batches.ts';
export { createRedisClient, defineScript } from './client.ts';
export type {
  RedisClient,
  RedisClientDeps,
  RedisClientState,
  Script,
  ScriptCall,
} from './client.ts';
export { parseRedisEnvironment } from './environment.ts';
export { CodedError, isDenied, RedisClientError, toUnavailable } from './errors.ts';
export type { RedisClientErrorCode, WriteRefusal } from './errors.ts';
export { withFallback } from './fallback.ts';
export type { RedisHealth } from './health.ts';
export { createListeners } from './listeners.ts';
export { createThrottledWarn } from './logger.ts';
export type { Logger } from './logger.ts';
export type { ServerCertificate } from './observed-certificates.ts';
export type { BorrowedConnections, RedisClientOptions, RedisConnection } from './options.ts';
export type { RedisNode, RedisTls } from './options.ts';
export { resolveOptions } from './resolve-options.ts';
export { openRedisServers } from './servers.ts';
export type { RedisServerLink, RedisServers, RedisServersOptions } from './servers.ts';
export type { RedisSubscriber } from './subscriber.ts';
export type { MessageHandler } from './subscription-set.ts';
export type { RedisCommand, RedisReply } from './transport.ts';
