import { dashboard, graph, quantile, rate, stat } from './panels.ts';

const chosen = 'instance=~"$instance"';
const legend = '{{instance}}';

export const redis = () =>
  dashboard(
    'redis',
    'Chat hub: Redis',
    'Redis, from its exporter and from the hubs.',
    [
      {
        title: 'State',
        panels: [
          stat('Nodes that answer', `sum(redis_up{${chosen}})`),
          stat('Uptime', `min(redis_uptime_in_seconds{${chosen}})`, { unit: 's' }),
          stat('Clients', `sum(redis_connected_clients{${chosen}})`),
          stat('Snapshot fails', `sum(redis_rdb_last_bgsave_status{${chosen}} == bool 0)`, {
            target: 1,
          }),
          stat('Append-only file fails', `sum(redis_aof_last_write_status{${chosen}} == bool 0)`, {
            target: 1,
          }),
          stat('Refused connections', `sum(redis_rejected_connections_total{${chosen}})`, {
            target: 1,
          }),
        ],
      },
      {
        title: 'Memory and keys',
        panels: [
          graph(
            'Memory',
            {
              [`${legend} used`]: `redis_memory_used_bytes{${chosen}}`,
              [`${legend} maxmemory`]: `redis_memory_max_bytes{${chosen}}`,
            },
            { unit: 'bytes', target: 500e6 },
          ),
          graph('Evicted and expired keys per second', {
            evicted: rate('redis_evicted_keys_total', '', chosen),
            expired: rate('redis_expired_keys_total', '', chosen),
          }),
          graph('Keys', {
            all: `sum(redis_db_keys{${chosen}})`,
            'without TTL': `sum(redis_keys_without_expiry:sum{${chosen}})`,
          }),
          graph(
            'Share of reads that find a key',
            `${rate('redis_keyspace_hits_total', '', chosen)} / (${rate('redis_keyspace_hits_total', '', chosen)} + ${rate('redis_keyspace_misses_total', '', chosen)})`,
            { unit: 'percentunit' },
          ),
        ],
      },
      {
        title: 'Speed',
        panels: [
          graph('Operations per second', {
            [legend]: rate('redis_commands_processed_total', 'instance', chosen),
          }),
          graph(
            'Main thread',
            {
              [legend]: `${rate('redis_cpu_user_main_thread_seconds_total', 'instance', chosen)} + ${rate('redis_cpu_sys_main_thread_seconds_total', 'instance', chosen)}`,
            },
            { unit: 'percentunit', target: 0.8 },
          ),
          graph(
            'Time per command',
            {
              '{{cmd}}': `topk(8, ${rate('redis_commands_duration_seconds_total', 'cmd', chosen)} / (${rate('redis_commands_total', 'cmd', chosen)} > 0))`,
            },
            { unit: 's' },
          ),
          graph(
            'Slow commands',
            { [legend]: `redis_slowlog_last_id{${chosen}}` },
            { description: 'The id of the newest entry of the slow log.' },
          ),
          graph(
            'Network',
            {
              in: rate('redis_net_input_bytes_total', '', chosen),
              out: rate('redis_net_output_bytes_total', '', chosen),
            },
            { unit: 'Bps' },
          ),
          graph('Subscribed topics', {
            topics: `sum(redis_pubsub_channels{${chosen}})`,
            patterns: `sum(redis_pubsub_patterns{${chosen}})`,
          }),
        ],
      },
      {
        title: 'As the hubs see it',
        panels: [
          graph(
            'Round trip',
            {
              p50: quantile(0.5, 'hub_redis_round_trip_seconds'),
              p99: quantile(0.99, 'hub_redis_round_trip_seconds'),
            },
            { unit: 's' },
          ),
          graph(
            'Pub/sub',
            {
              p50: quantile(0.5, 'hub_publish_path_seconds'),
              p99: quantile(0.99, 'hub_publish_path_seconds'),
            },
            { unit: 's', target: 0.05 },
          ),
          graph('Failed commands per second', {
            '{{code}}': rate('hub_redis_failures_total', 'code'),
          }),
          graph('Hubs by state of Redis', { '{{state}}': 'sum by (state) (hub_redis_state)' }),
          graph('Reconnects', {
            '{{connection}}': rate('hub_redis_reconnects_total', 'connection'),
          }),
          graph('Probes of the publish path per second', {
            '{{outcome}}': rate('hub_publish_path_probes_total', 'outcome'),
          }),
        ],
      },
    ],
    'redis_up',
  );
