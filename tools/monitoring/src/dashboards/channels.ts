import { dashboard, graph, quantile, rate, stat } from './panels.ts';

const hits = rate('hub_cache_hits_total');
const misses = rate('hub_cache_misses_total');

export const channels = () =>
  dashboard(
    'channels',
    'Chat hub: channels',
    'Channels: messages, delivery, resumes and repairs.',
    [
      {
        title: 'Traffic',
        panels: [
          stat('Live channels', 'max(hub_rooms)', { description: 'On the hub with most of them.' }),
          stat('Messages per second', rate('hub_messages_total')),
          stat('Deliveries per second', rate('hub_deliveries_total')),
          stat(
            'Deliveries per message',
            `${rate('hub_deliveries_total')} / ${rate('hub_messages_total')}`,
          ),
          stat('Delivery, p99', quantile(0.99, 'hub_delivery_seconds'), { unit: 's', target: 0.1 }),
          stat(
            'Acknowledgement, p99',
            quantile(0.99, 'hub_call_seconds', '', 'method="message.send"'),
            { unit: 's', target: 0.025 },
          ),
          graph('Messages per second', { '{{instance}}': rate('hub_messages_total', 'instance') }),
          graph('Deliveries per second', {
            '{{instance}}': rate('hub_deliveries_total', 'instance'),
          }),
          graph('Typing, reactions and presence per second', {
            '{{method}}': rate(
              'hub_calls_total',
              'method',
              'method=~"typing[.].*|reaction[.].*|presence[.].*"',
            ),
          }),
        ],
      },
      {
        title: 'Delivery',
        panels: [
          graph(
            'Delivery',
            {
              p50: quantile(0.5, 'hub_delivery_seconds'),
              p99: quantile(0.99, 'hub_delivery_seconds'),
            },
            { unit: 's', target: 0.1 },
          ),
          graph(
            'Delivery by hub, p99',
            { '{{instance}}': 'instance:hub_delivery_seconds:p99_5m' },
            { unit: 's', target: 0.1 },
          ),
          graph('Events that did not reach Redis, per second', {
            '{{instance}}': rate('hub_publish_failures_total', 'instance'),
          }),
        ],
      },
      {
        title: 'Resumes and repairs',
        panels: [
          graph('Resumes per second', {
            'with the missed events': rate('hub_resumes_total', '', 'resumed="true"'),
            'from the head': rate('hub_resumes_total', '', 'resumed="false"'),
          }),
          graph('Discontinuities per second', {
            '{{reason}}': rate('hub_discontinuities_total', 'reason'),
          }),
          graph('Holes, repairs and duplicates per second', {
            holes: rate('hub_event_holes_total'),
            repairs: rate('hub_event_repairs_total'),
            duplicates: rate('hub_event_duplicates_total'),
            'channels behind': rate('hub_tail_repairs_total'),
          }),
        ],
      },
      {
        title: 'Memory',
        panels: [
          graph('Recent messages served by the cache', `${hits} / (${hits} + ${misses})`, {
            unit: 'percentunit',
          }),
          graph('Newest events in memory', { '{{instance}}': 'hub_ring_bytes' }, { unit: 'bytes' }),
          graph('Heads of direct channels', { '{{instance}}': 'hub_direct_heads' }),
        ],
      },
    ],
  );
