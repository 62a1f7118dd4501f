import { dashboard, graph, quantile, rate, stat } from './panels.ts';

export const overview = () =>
  dashboard('overview', 'Chat hub: overview', 'Is anything wrong, and do the targets hold?', [
    {
      title: 'Now',
      panels: [
        stat('Firing alerts', 'count(ALERTS{alertstate="firing"}) or vector(0)', { target: 1 }),
        stat('Hubs that do not answer', 'sum(up{job="chat-hub"} == bool 0)', { target: 1 }),
        stat('Hubs without database', 'sum(hub_database_up == bool 0)', { target: 1 }),
        stat('Hubs without Redis', 'sum(hub_redis_available == bool 0)', { target: 1 }),
        stat('Agents', 'sum(hub_agents)'),
        stat('Messages per second', rate('hub_messages_total')),
      ],
    },
    {
      title: 'Targets',
      panels: [
        graph(
          'Failed calls',
          {
            '5 minutes': 'job:hub_call_errors:ratio_rate5m',
            '1 hour': 'job:hub_call_errors:ratio_rate1h',
          },
          { unit: 'percentunit', target: 0.001, description: 'Objective: at most 0.1%.' },
        ),
        graph(
          'Acknowledgements over 25 ms',
          {
            '5 minutes': 'job:hub_slow_acks:ratio_rate5m',
            '1 hour': 'job:hub_slow_acks:ratio_rate1h',
          },
          { unit: 'percentunit', target: 0.01, description: 'Objective: at most 1%.' },
        ),
        graph(
          'Pub/sub, p99',
          { '{{instance}}': 'instance:hub_publish_path_seconds:p99_5m' },
          { unit: 's', target: 0.05, description: 'Target: 50 ms.' },
        ),
        graph(
          'Delivery',
          {
            p50: quantile(0.5, 'hub_delivery_seconds'),
            p99: quantile(0.99, 'hub_delivery_seconds'),
          },
          { unit: 's', target: 0.1, description: 'Target of presence and typing: 100 ms.' },
        ),
        graph(
          'Memory of Redis',
          { '{{instance}}': 'redis_memory_used_bytes' },
          { unit: 'bytes', target: 500e6, description: 'Target: 500 MB for 111 agents.' },
        ),
        graph('Redis operations per second', {
          '{{instance}}': rate('redis_commands_processed_total', 'instance'),
        }),
      ],
    },
    {
      title: 'Load',
      panels: [
        graph('Sockets', { '{{instance}}': 'hub_sockets' }),
        graph('Calls per second', { '{{transport}}': rate('hub_calls_total', 'transport') }),
        graph(
          'Delay of the event loop, p99',
          { '{{instance}}': 'instance:hub_event_loop_delay_seconds:p99_5m' },
          { unit: 's', target: 0.05 },
        ),
      ],
    },
  ]);
