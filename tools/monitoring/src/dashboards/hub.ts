import { dashboard, graph, quantile, rate, stat } from './panels.ts';

const chosen = 'instance=~"$instance"';
const legend = '{{instance}}';
const of = (metric: string) => `${metric}{${chosen}}`;
const quantiles = (histogram: string, matchers = chosen) => ({
  p50: quantile(0.5, histogram, '', matchers),
  p99: quantile(0.99, histogram, '', matchers),
});

export const hub = () =>
  dashboard(
    'hub',
    'Chat hub: hub',
    'One hub, or several: process, calls, database and clients.',
    [
      {
        title: 'Process',
        panels: [
          stat('Releases', `count(count by (version) (${of('hub_build_info')}))`),
          stat('Serving', `sum(hub_state{${chosen},state="serving"})`),
          stat('Agents', `sum(${of('hub_agents')})`),
          stat('Sockets', `sum(${of('hub_sockets')})`),
          stat('Lagging sockets', `sum(${of('hub_sockets_lagging')})`, { target: 1 }),
          stat('Age', `time() - max(${of('process_start_time_seconds')})`, { unit: 's' }),
          graph(
            'CPU',
            { [legend]: rate('process_cpu_seconds_total', 'instance', chosen) },
            { unit: 'percentunit', target: 0.9 },
          ),
          graph('Memory', { [legend]: of('process_resident_memory_bytes') }, { unit: 'bytes' }),
          graph('Delay of the event loop', quantiles('hub_event_loop_delay_seconds'), {
            unit: 's',
            target: 0.05,
          }),
        ],
      },
      {
        title: 'Calls',
        panels: [
          graph('Calls per second', {
            '{{method}}': `topk(8, ${rate('hub_calls_total', 'method', chosen)})`,
          }),
          graph('Calls that are not ok, per second', {
            '{{outcome}}': rate('hub_calls_total', 'outcome', `${chosen},outcome!="ok"`),
          }),
          graph(
            'Time of a send',
            quantiles('hub_call_seconds', `${chosen},method="message.send"`),
            { unit: 's', target: 0.025 },
          ),
          graph('Refused by a limit, per second', {
            '{{action}}': rate('hub_limited_calls_total', 'action', chosen),
          }),
          graph('Sign-ins per second', {
            '{{result}}': rate('hub_sign_ins_total', 'result', chosen),
          }),
          graph('Frames that were not JSON-RPC, per second', {
            [legend]: rate('hub_bad_frames_total', 'instance', chosen),
          }),
        ],
      },
      {
        title: 'Database',
        panels: [
          graph('Commit', quantiles('hub_commit_seconds'), { unit: 's', target: 0.1 }),
          graph('Writes per commit', quantiles('hub_commit_group_size')),
          graph(
            'Calls, p99',
            { '{{kind}}': quantile(0.99, 'hub_database_call_seconds', 'kind', chosen) },
            { unit: 's' },
          ),
          graph('Waiting', {
            reads: `sum(${of('hub_database_waiting_reads')})`,
            writes: `sum(${of('hub_database_waiting_writes')})`,
          }),
          graph('Connections to PostgreSQL', {
            '{{pool}}': `sum by (pool) (${of('hub_database_pool_connections')})`,
            '{{pool}} idle': `sum by (pool) (${of('hub_database_pool_idle_connections')})`,
          }),
          graph('Failures per second', {
            '{{code}}': rate('hub_database_failures_total', 'code', chosen),
          }),
          graph('Events trimmed by retention, per second', {
            [legend]: rate('hub_retention_trimmed_events_total', 'instance', chosen),
          }),
          graph(
            'Since the last pass of retention',
            { [legend]: `time() - (${of('hub_retention_last_pass_timestamp_seconds')} > 0)` },
            {
              unit: 's',
              description:
                'A pass begins every minute. A long time means that there is much to trim.',
            },
          ),
        ],
      },
      {
        title: 'Clients',
        panels: [
          graph('Connections', {
            [legend]: of('hub_connections'),
            [`${legend} limit`]: of('hub_connections_limit'),
          }),
          graph(
            'Unsent output',
            { [legend]: of('hub_unsent_bytes'), [`${legend} limit`]: of('hub_unsent_limit_bytes') },
            { unit: 'bytes' },
          ),
          graph('Sockets that began to lag, per second', {
            [legend]: rate('hub_lagging_sockets_total', 'instance', chosen),
          }),
          graph('Closed sockets per second', {
            '{{code}}': rate('hub_closed_connections_total', 'code', chosen),
          }),
          graph('Refused connections per second', {
            '{{status}}': rate('hub_refused_connections_total', 'status', chosen),
          }),
          graph('Admissions per second', {
            '{{outcome}}': rate('hub_admissions_total', 'outcome', chosen),
          }),
        ],
      },
    ],
    'hub_build_info',
  );
