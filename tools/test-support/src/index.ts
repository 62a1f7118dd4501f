export { startPostgres } from './postgres-server.ts';
export type { PostgresServer } from './postgres-server.ts';
export { freePort, randomPrefix, startProcess, temporaryFolder, waitFor } from './processes.ts';
export type { ServerProcess } from './processes.ts';
export { redisCommand, startRedis } from './redis-server.ts';
export type { RedisServer, RedisServerOptions } from './redis-server.ts';
