import { setImmediate as nextTurn } from 'node:timers/promises';
import { callKinds, type ChatStoreErrorCode } from '@openclaw/chat-store';
import {
  closeCodes,
  commonErrors,
  errorCodes,
  methods,
  type MethodDefinition,
  type MethodName,
} from '@openclaw/protocol';
import type { RedisClientErrorCode } from '@openclaw/redis-client';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { CallOutcome, MalformedCall } from '../calls/failure.ts';
import type { Transport } from '../calls/handler.ts';
import type { LimitedAction } from '../calls/invoke.ts';
import { scrapedDefinitions, type ScrapedName, type ScrapedReader } from './scraped-metrics.ts';

/** `blocked` means that sign-ins from the address failed too often, so the credentials were not checked. */
export const signInResults = [
  'ok',
  'unauthorized',
  'revoked',
  'barred',
  'blocked',
  'unavailable',
  'internal',
] as const;
export type SignInResult = (typeof signInResults)[number];

export type LimitName = LimitedAction | 'calls';

export const databaseFailureCodes = [
  'unavailable',
  'timeout',
  'locked',
  'unwritable',
  'corrupt',
  'unauthorized',
  'newer_schema',
] as const satisfies readonly ChatStoreErrorCode[];

/** Every series exists from the start, at 0, so that its first increase is visible. */
export type Metrics = ReturnType<typeof createMetrics>;

const transports = ['ws', 'rest'] as const satisfies readonly Transport[];
const malformedCodes = [
  'parse_error',
  'invalid_request',
  'method_not_found',
  'invalid_params',
] as const satisfies readonly MalformedCall['code'][];
const limitNames = ['message', 'append', 'reaction', 'typing', 'read', 'create', 'calls'] as const;
const redisFailureCodes = [
  'unavailable',
  'timeout',
  'rejected',
  'closed',
] as const satisfies readonly RedisClientErrorCode[];
/** These codes come from a peer, a lost connection or the WebSocket library. */
const otherCloseCodes = [1000, 1001, 1002, 1005, 1006, 1007, 'other'] as const;

/**
 * Most values are below 16 ms, so most buckets are there. The targets are 25 ms for an acknowledgement and 50 ms for a
 * delivery.
 */
export const latencyBuckets: readonly number[] = [
  1, 2, 4, 6, 8, 10, 12, 16, 25, 50, 100, 250, 500, 1_000, 3_000,
].map((ms) => ms / 1_000);
const groupSizeBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** These gauges of Node end in `_total`, although by convention only counters have this ending. */
const misnamedDefaults = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

const sliceMs = 2;

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const name of misnamedDefaults) registry.removeSingleMetric(name);

  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  function countersBy<L extends string, V extends string>(
    name: string,
    help: string,
    label: L,
    values: readonly V[],
  ): Counter<L> {
    const counters = new Counter({ name, help, labelNames: [label], registers });
    for (const value of values) counters.labels(value).inc(0);
    return counters;
  }
  const histogram = (name: string, help: string, buckets = latencyBuckets) =>
    new Histogram({ name, help, buckets: [...buckets], registers });
  function histogramsBy<L extends string>(
    name: string,
    help: string,
    label: L,
    values: readonly string[],
  ): Histogram<L> {
    const buckets = [...latencyBuckets];
    const histograms = new Histogram({ name, help, labelNames: [label], buckets, registers });
    for (const value of values) histograms.zero({ [label]: value } as Record<L, string>);
    return histograms;
  }

  const calls = new Counter({
    name: 'hub_calls_total',
    help: 'Calls over WebSocket (ws) and REST, by method and outcome: ok, or the error code',
    labelNames: ['method', 'transport', 'outcome'],
    registers,
  });
  for (const transport of transports)
    for (const method of [...methodNames, 'unknown' as const])
      for (const outcome of outcomesOf(method, transport))
        calls.inc({ method, transport, outcome }, 0);

  const signIns = new Counter({
    name: 'hub_sign_ins_total',
    help: 'Sign-ins by result; over REST, each request signs in',
    labelNames: ['transport', 'result'],
    registers,
  });
  for (const transport of transports)
    for (const result of signInResults) signIns.inc({ transport, result }, 0);

  const readers = new Map<string, (label: string) => number | Promise<number>>();
  for (const [name, { type, help, label, values }] of scrapedDefinitions) {
    const labelNames = label === null ? [] : [label];
    const labelled = values.map((value) => (label === null ? {} : { [label]: value }));
    async function collect(this: Gauge | Counter): Promise<void> {
      this.reset();
      for (const [index, labels] of labelled.entries())
        this.inc(labels, (await readers.get(name)?.(values[index] ?? '')) ?? 0);
    }
    if (type === 'gauge') new Gauge({ name, help, labelNames, registers, collect });
    else new Counter({ name, help, labelNames, registers, collect });
  }

  async function text(): Promise<string> {
    const written: string[] = [];
    let startMs = performance.now();
    for (const { name } of registry.getMetricsAsArray()) {
      written.push(await registry.getSingleMetricAsString(name));
      if (performance.now() - startMs < sliceMs) continue;
      await nextTurn();
      startMs = performance.now();
    }
    return `${written.join('\n\n')}\n`;
  }

  return {
    registry,
    /** Prometheus' text format, written over several turns of the event loop. */
    text,
    calls,
    callSeconds: histogramsBy(
      'hub_call_seconds',
      'Time that the handler of a method took; of message.send it is mostly the commit',
      'method',
      methodNames,
    ),
    signIns,
    limited: countersBy(
      'hub_limited_calls_total',
      'Calls refused by a limit per agent; calls: HUB_LIMIT_CALLS',
      'action',
      limitNames satisfies readonly LimitName[],
    ),
    messages: counter('hub_messages_total', 'Messages sent through this hub and committed'),
    deliverySeconds: histogram(
      'hub_delivery_seconds',
      'Time from the timestamp of a durable event to its being written to this hub’s sockets, by event',
    ),
    droppedAnnouncements: counter(
      'hub_dropped_announcements_total',
      'Announcements of public channels that were not sent, because there were too many',
    ),
    publishFailures: counter('hub_publish_failures_total', 'Events that did not reach Redis'),
    publishPathSeconds: histogram(
      'hub_publish_path_seconds',
      'Time from publish to receipt of the probes that were received',
    ),
    publishPathProbes: countersBy(
      'hub_publish_path_probes_total',
      'Probes of the publish path by result: back, lost (accepted by Redis but not received), or refused',
      'outcome',
      ['back', 'lost', 'refused'],
    ),
    tailRepairs: counter(
      'hub_tail_repairs_total',
      'Channels that the tail check found behind the database',
    ),
    tailFailures: counter(
      'hub_tail_check_failures_total',
      'Tail checks that failed because the database did not answer',
    ),
    storeHorizonLag: gauge(
      'hub_database_horizon_lag_transactions',
      'Transactions that PostgreSQL has begun since the oldest one that is still open; 0 on SQLite',
    ),
    databaseCallSeconds: histogramsBy(
      'hub_database_call_seconds',
      'Time of a call to the database, answered or failed, by kind',
      'kind',
      callKinds,
    ),
    databaseFailures: countersBy(
      'hub_database_failures_total',
      'Calls that the database failed, by code',
      'code',
      databaseFailureCodes,
    ),
    commitSeconds: histogram('hub_commit_seconds', 'Time of the commit of one group of writes'),
    commitGroupSize: histogram(
      'hub_commit_group_size',
      'Writes that were committed together',
      groupSizeBuckets,
    ),
    trimmedEvents: counter(
      'hub_retention_trimmed_events_total',
      'Events that this hub removed because no retention keeps them',
    ),
    retentionPassTimestamp: gauge(
      'hub_retention_last_pass_timestamp_seconds',
      'When this hub last found every channel within its retention; 0 until the first time',
    ),
    redisRoundTripSeconds: histogram(
      'hub_redis_round_trip_seconds',
      'Time of a command, a script or a pipeline that was sent to Redis',
    ),
    redisFailures: countersBy(
      'hub_redis_failures_total',
      'Commands, scripts and pipelines that were sent to Redis and failed, by code',
      'code',
      redisFailureCodes,
    ),
    refusedConnections: countersBy(
      'hub_refused_connections_total',
      'Upgrades refused, by the HTTP status or its equivalent',
      'status',
      ['401', '403', '404', '429', '503'],
    ),
    admissions: countersBy(
      'hub_admissions_total',
      'Clients admitted, or given a time at which to reconnect',
      'outcome',
      ['admitted', 'deferred'],
    ),
    closedConnections: countersBy(
      'hub_closed_connections_total',
      'Sockets closed, by close code',
      'code',
      [...Object.keys(closeCodes), ...otherCloseCodes.map(String)],
    ),
    laggingSockets: counter(
      'hub_lagging_sockets_total',
      'Times a socket read too slowly for live delivery',
    ),
    badFrames: counter('hub_bad_frames_total', 'Frames that were not JSON-RPC'),
    barredAgents: counter(
      'hub_barred_agents_total',
      'Agents barred for far exceeding HUB_LIMIT_CALLS',
    ),
    resumes: countersBy(
      'hub_resumes_total',
      'Subscriptions that continue after a seq: true with the missed events, false from the head',
      'resumed',
      ['true', 'false'],
    ),
    discontinuities: countersBy(
      'hub_discontinuities_total',
      'Discontinuities sent to sockets, by reason',
      'reason',
      ['epoch', 'behind', 'trimmed'],
    ),
    eventLoopDelaySeconds: histogram(
      'hub_event_loop_delay_seconds',
      'How late the event loop ran a timer, sampled 50 times a second',
    ),
    /** `reader` is called at each scrape. Without it the value is 0. */
    read<N extends ScrapedName>(name: N, reader: ScrapedReader<N>): void {
      readers.set(name, reader);
    },
  };
}

const methodNames = Object.keys(methods) as MethodName[];

/** Series for impossible outcomes would double the size of a scrape. */
function outcomesOf(method: MethodName | 'unknown', transport: Transport): readonly CallOutcome[] {
  if (method === 'unknown') return [...malformedCodes, ...errorCodes];
  const { errors, bulky, waits }: MethodDefinition = methods[method];
  const answers = ['ok', 'invalid_params', ...new Set([...commonErrors, ...errors])] as const;
  if (transport === 'rest')
    return [...answers, 'invalid_request', ...(waits ? (['abandoned'] as const) : [])];
  return bulky === undefined ? answers : [...answers, 'abandoned'];
}
