import type { Live } from '../live.ts';
import type { Services } from '../services.ts';
import type { DatabaseState } from './service-reports.ts';
import type { Metrics } from './metrics.ts';

export interface LiveSources {
  readonly services: Pick<Services, 'store' | 'cache' | 'redis' | 'isRedisNamed'>;
  readonly live: Live;
  readonly database: Pick<DatabaseState, 'isUp'>;
}

export function observeLive(
  { read }: Pick<Metrics, 'read'>,
  { services, live, database }: LiveSources,
): void {
  const { store, cache, redis, isRedisNamed } = services;
  const {
    sessions,
    rooms,
    logWaits,
    inboxWaits,
    directHeads,
    unsent,
    ringBudget,
    streams,
    flusher,
    redisState,
    selfProbe,
  } = live;
  const one = (isTrue: boolean) => (isTrue ? 1 : 0);

  read('hub_sockets', () => sessions.size);
  read('hub_sockets_lagging', () => sessions.lagging);
  read('hub_agents', () => sessions.agents);
  read('hub_waiting_log_reads', () => logWaits.size);
  read('hub_waiting_inbox_reads', () => inboxWaits.size);
  read('hub_rooms', () => rooms.size);
  read('hub_unsent_bytes', () => unsent.bytes);
  read('hub_unsent_limit_bytes', () => unsent.maxBytes);
  read('hub_unsent_refusals_total', () => unsent.refusals);
  read('hub_ring_bytes', () => ringBudget.bytes);
  read('hub_stream_text_bytes', () => streams.bytes);
  read('hub_direct_heads', () => directHeads.size);
  read('hub_deliveries_total', () => flusher.deliveries);
  read('hub_event_holes_total', () => rooms.totals.holes);
  read('hub_event_repairs_total', () => rooms.totals.repaired);
  read('hub_event_duplicates_total', () => rooms.totals.duplicates);
  read('hub_cache_hits_total', () => cache.recentMessages.stats.hits);
  read('hub_cache_misses_total', () => cache.recentMessages.stats.misses);

  read('hub_database_up', () => one(database.isUp));
  read('hub_database_waiting_reads', () => store.waitingReads);
  read('hub_database_waiting_writes', () => store.queueLength);
  read('hub_database_pool_connections', (pool) => store.pools[pool]?.open ?? 0);
  read('hub_database_pool_idle_connections', (pool) => store.pools[pool]?.idle ?? 0);
  read('hub_database_pool_waiting', (pool) => store.pools[pool]?.waiting ?? 0);

  const stateOfRedis = () => {
    if (redisState.available) return 'in_use';
    if (redis.available || redis.state.refusal !== null) return 'refusing_writes';
    return isRedisNamed ? 'down' : 'unused';
  };
  read('hub_redis_available', () => one(redisState.available));
  read('hub_redis_state', (state) => one(stateOfRedis() === state));
  read('hub_redis_breaker_state', (state) => one(redis.state.breaker === state));
  read('hub_redis_reconnects_total', (connection) => redis.state.reconnects[connection]);
  const redisHealth = () => redisState.recentHealth();
  read('hub_redis_used_memory_bytes', async () => (await redisHealth()).usedMemoryBytes ?? 0);
  read('hub_redis_max_memory_bytes', async () => (await redisHealth()).maxMemoryBytes ?? 0);
  read('hub_redis_evicted_keys_total', async () => (await redisHealth()).evictedKeys ?? 0);
  read('hub_publish_path_up', () => one(selfProbe.path.status !== 'down'));
}
