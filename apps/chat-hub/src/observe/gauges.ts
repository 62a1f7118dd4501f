import type { Live } from '../live.ts';
import type { Services } from '../services.ts';
import type { Metrics } from './metrics.ts';

/** Adds the gauges whose values are read from the parts of a running hub. */
export function observeLive(
  metrics: Pick<Metrics, 'observe'>,
  { store, cache }: Pick<Services, 'store' | 'cache'>,
  live: Live,
): void {
  const { sessions, rooms, directHeads, unsent, ringBudget, flusher, redisState, selfProbe } = live;
  metrics.observe('hub_sockets', 'Open sockets', () => sessions.size);
  metrics.observe('hub_agents', 'Agents with a socket here', () => sessions.agents);
  metrics.observe('hub_rooms', 'Live channels', () => rooms.size);
  metrics.observe(
    'hub_store_waiting_reads',
    'Reads and look-ups that wait for their turn at the database',
    () => store.waitingReads,
  );
  metrics.observe(
    'hub_direct_heads',
    'Heads kept of direct channels beyond those that welcomes name',
    () => directHeads.size,
  );
  metrics.observe(
    'hub_unsent_bytes',
    'Output that peers have not taken, and answers in the making',
    () => unsent.bytes,
  );
  metrics.observe(
    'hub_unsent_refusals_total',
    'Bulky calls refused because too much was unsent',
    () => unsent.refusals,
  );
  metrics.observe(
    'hub_ring_bytes',
    'Memory of the newest events of all channels',
    () => ringBudget.bytes,
  );
  metrics.observe('hub_deliveries_total', 'Events handed to sockets', () => flusher.deliveries);
  metrics.observe(
    'hub_cache_hits_total',
    'Recent messages served by the cache',
    () => cache.recentMessages.stats.hits,
  );
  metrics.observe(
    'hub_cache_misses_total',
    'Recent messages read from the store',
    () => cache.recentMessages.stats.misses,
  );
  metrics.observe('hub_redis_available', '1 while Redis is in use', () =>
    redisState.available ? 1 : 0,
  );

  metrics.observe('hub_publish_path_up', '0 while what is published does not come back', () =>
    selfProbe.path.status === 'down' ? 0 : 1,
  );
  metrics.observe(
    'hub_publish_path_latency_seconds',
    'From publishing to hearing it, the last time it came back',
    () => (selfProbe.path.latencyMs ?? 0) / 1000,
  );
}
