import { certificatePeers } from './peer-certificates.ts';
import { version } from './version.ts';

export const redisStates = ['in_use', 'refusing_writes', 'down', 'unused'] as const;
export const breakerStates = ['closed', 'half_open', 'open'] as const;
export const hubStates = ['starting', 'serving', 'draining'] as const;
export type HubState = (typeof hubStates)[number];

const definitions = {
  hub_build_info: {
    type: 'gauge',
    help: 'Always 1; the version of the hub that runs',
    label: ['version', [version]],
  },
  hub_state: {
    type: 'gauge',
    help: '1 for the state of the hub: starting, serving or draining',
    label: ['state', hubStates],
  },
  hub_sockets: { type: 'gauge', help: 'Open sockets' },
  hub_sockets_lagging: {
    type: 'gauge',
    help: 'Sockets that read too slowly for live delivery now',
  },
  hub_agents: { type: 'gauge', help: 'Agents with a socket here' },
  hub_waiting_log_reads: { type: 'gauge', help: 'Calls of log.read that wait for an event' },
  hub_waiting_inbox_reads: { type: 'gauge', help: 'Calls of inbox.read that wait for an item' },
  hub_rooms: { type: 'gauge', help: 'Live channels' },
  hub_connections: { type: 'gauge', help: 'Open connections, WebSocket and HTTP' },
  hub_connections_limit: {
    type: 'gauge',
    help: 'Connections that are served; further clients get a time at which to reconnect',
  },
  hub_dropped_connections_total: {
    type: 'counter',
    help: 'Connections dropped without an answer, beyond the limit and the surplus',
  },
  hub_admission_places: {
    type: 'gauge',
    help: 'Slots reserved for clients that were given a time at which to reconnect',
  },
  hub_unsent_bytes: {
    type: 'gauge',
    help: 'Unsent output, and memory reserved for answers',
  },
  hub_unsent_limit_bytes: {
    type: 'gauge',
    help: 'The limit of hub_unsent_bytes, beyond which bulky calls are refused',
  },
  hub_unsent_refusals_total: {
    type: 'counter',
    help: 'Bulky calls refused because too much was unsent',
  },
  hub_ring_bytes: { type: 'gauge', help: 'Memory of the newest events of all channels' },
  hub_stream_text_bytes: { type: 'gauge', help: 'Memory of the texts of growing messages' },
  hub_direct_heads: {
    type: 'gauge',
    help: 'Remembered heads of direct channels that welcomes do not name',
  },
  hub_deliveries_total: { type: 'counter', help: 'Events handed to sockets' },
  hub_event_holes_total: {
    type: 'counter',
    help: 'Times an event arrived ahead of a missing one of its channel',
  },
  hub_event_repairs_total: {
    type: 'counter',
    help: 'Events that the bus did not deliver and that were read from the database',
  },
  hub_event_duplicates_total: {
    type: 'counter',
    help: 'Events that arrived again and were dropped',
  },
  hub_cache_hits_total: { type: 'counter', help: 'Recent messages served by the cache' },
  hub_cache_misses_total: { type: 'counter', help: 'Recent messages read from the database' },
  hub_database_up: {
    type: 'gauge',
    help: '0 while the database does not answer reads or does not take writes',
  },
  hub_database_waiting_reads: {
    type: 'gauge',
    help: 'Reads and look-ups that wait for their turn at the database',
  },
  hub_database_waiting_writes: { type: 'gauge', help: 'Writes that wait for their group' },
  hub_database_pool_connections: {
    type: 'gauge',
    help: 'Open connections to PostgreSQL, by pool; 0 on SQLite',
    label: ['pool', ['reads', 'system']],
  },
  hub_database_pool_idle_connections: {
    type: 'gauge',
    help: 'Idle connections to PostgreSQL, by pool',
    label: ['pool', ['reads', 'system']],
  },
  hub_database_pool_waiting: {
    type: 'gauge',
    help: 'Queries that wait for a connection to PostgreSQL, by pool',
    label: ['pool', ['reads', 'system']],
  },
  hub_certificate_expiry_timestamp_seconds: {
    type: 'gauge',
    help: 'Earliest end of the certificates on the newest connections; 0 without TLS',
    label: ['peer', certificatePeers],
  },
  hub_redis_available: { type: 'gauge', help: '1 while Redis is in use' },
  hub_redis_state: {
    type: 'gauge',
    help: '1 for the state of Redis; unused: none is configured and none was found',
    label: ['state', redisStates],
  },
  hub_redis_breaker_state: {
    type: 'gauge',
    help: '1 for the state of the circuit breaker of Redis',
    label: ['state', breakerStates],
  },
  hub_redis_reconnects_total: {
    type: 'counter',
    help: 'Connections to Redis that were established again',
    label: ['connection', ['commands', 'subscriber']],
  },
  hub_redis_used_memory_bytes: { type: 'gauge', help: 'used_memory of Redis' },
  hub_redis_max_memory_bytes: { type: 'gauge', help: 'maxmemory of Redis; 0: no limit' },
  hub_redis_evicted_keys_total: {
    type: 'counter',
    help: 'Keys that Redis evicted since its start',
  },
  hub_publish_path_up: { type: 'gauge', help: '0 while published events are not received back' },
} as const satisfies Readonly<Record<string, Definition>>;

interface Definition {
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly label?: readonly [name: string, values: readonly string[]];
}

export type ScrapedName = keyof typeof definitions;

/** A metric with a label is read once for each value of the label. */
export type ScrapedReader<N extends ScrapedName> = (typeof definitions)[N] extends {
  readonly label: readonly [string, readonly (infer V)[]];
}
  ? (value: V) => number | Promise<number>
  : () => number | Promise<number>;

export interface ScrapedDefinition {
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly label: string | null;
  readonly values: readonly string[];
}

export const scrapedDefinitions: ReadonlyMap<string, ScrapedDefinition> = new Map(
  Object.entries<Definition>(definitions).map(([name, { type, help, label }]) => [
    name,
    { type, help, label: label?.[0] ?? null, values: label?.[1] ?? [''] },
  ]),
);
