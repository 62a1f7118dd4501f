export type { RoundTrip } from './availability.ts';
export { createRedisClient, defineScript } from './client.ts';
export type {
  RedisClient,
  RedisClientDeps,
  RedisClientState,
  Script,
  ScriptCall,
} from './client.ts';
export { parseRedisEnvironment } from './environment.ts';
export { isDenied, RedisClientError } from './errors.ts';
export type { RedisClientErrorCode, WriteRefusal } from './errors.ts';
export { withFallback } from './fallback.ts';
export type { RedisHealth } from './health.ts';
export { createThrottledWarn } from './logger.ts';
export type { Logger } from './logger.ts';
export type { BorrowedConnections, RedisClientOptions, RedisConnection } from './options.ts';
export type { RedisNode, RedisTls } from './options.ts';
export type { MessageHandler, RedisSubscriber } from './subscriber.ts';
export type { RedisCommand, RedisReply } from './transport.ts';
