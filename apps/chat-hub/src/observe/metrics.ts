import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  readonly calls: Counter<'method' | 'transport' | 'outcome'>;
  readonly callSeconds: Histogram<'method'>;
  readonly messages: Counter;
  readonly deliverySeconds: Histogram;
  readonly publishFailures: Counter;
  readonly tailRepairs: Counter;
  readonly tailFailures: Counter;
  readonly storeHorizonLag: Gauge;
  readonly refusedConnections: Counter<'status'>;
  readonly admissions: Counter<'outcome'>;
  readonly closedConnections: Counter<'code'>;
  readonly laggingSockets: Counter;
  readonly badFrames: Counter;
  readonly failedSignIns: Counter;
  readonly limitedCalls: Counter;
  readonly barredAgents: Counter;
  /** Adds a gauge or counter whose value is read at each scrape. */
  observe(name: string, help: string, read: () => number): void;
}

/** Creates the hub's metrics in a registry of their own. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name, help, labelNames, registers });
  return {
    registry,
    calls: counter(
      'hub_calls_total',
      'Calls over WebSocket (ws) and REST, by method and outcome: ok, or the error code',
      ['method', 'transport', 'outcome'],
    ),
    callSeconds: new Histogram({
      name: 'hub_call_seconds',
      help: 'Time that the handler of a method took',
      labelNames: ['method'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3],
      registers,
    }),
    messages: counter('hub_messages_total', 'Messages sent through this hub and committed'),
    deliverySeconds: new Histogram({
      name: 'hub_delivery_seconds',
      help: 'Time from the timestamp of a durable event to its being written to this hub’s sockets, by event',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3],
      registers,
    }),
    publishFailures: counter('hub_publish_failures_total', 'Events that did not reach Redis'),
    tailRepairs: counter(
      'hub_tail_repairs_total',
      'Channels that the tail check found behind the store',
    ),
    tailFailures: counter(
      'hub_tail_check_failures_total',
      'Tail checks that failed because the store did not answer',
    ),
    storeHorizonLag: new Gauge({
      name: 'hub_store_horizon_lag',
      help: 'Transactions that PostgreSQL has begun since the oldest one that is still open; 0 on SQLite',
      registers,
    }),
    refusedConnections: counter('hub_refused_connections_total', 'Upgrades refused', ['status']),
    admissions: counter('hub_admissions_total', 'Clients admitted, or told when to come back', [
      'outcome',
    ]),
    closedConnections: counter('hub_closed_connections_total', 'Sockets closed, by close code', [
      'code',
    ]),
    laggingSockets: counter(
      'hub_lagging_sockets_total',
      'Times a socket read too slowly for live delivery',
    ),
    badFrames: counter('hub_bad_frames_total', 'Frames that were not JSON-RPC'),
    failedSignIns: counter(
      'hub_failed_sign_ins_total',
      'Failed sign-ins over WebSocket and REST: wrong, expired and revoked tokens',
    ),
    limitedCalls: counter('hub_limited_calls_total', 'Calls refused because of HUB_LIMIT_CALLS'),
    barredAgents: counter(
      'hub_barred_agents_total',
      'Times an agent was barred for calling far more than HUB_LIMIT_CALLS',
    ),
    observe(name, help, read) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
  };
}
