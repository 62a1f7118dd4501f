import type { Operations, OperationsFigures } from '@openclaw/protocol';
import { countText, millisecondsText } from './format-figures.ts';
import { aliveWithinMs, type SeenHub } from './seen-hubs.ts';

/** `pending`: beyond the threshold, but not yet long enough for an alarm. */
export type CheckState = 'good' | 'pending' | 'warning' | 'bad';

/** The value of a check that no hub can measure now, for example because it has no Redis. */
export const unmeasured = '–';

export interface Check {
  readonly key: string;
  readonly name: string;
  /** A sentence without a full stop. */
  readonly complaint: string;
  readonly limit: string;
  readonly value: string;
  readonly state: CheckState;
  /** Null while the value is not beyond the threshold. */
  readonly sinceMs: number | null;
  readonly hubIds: readonly string[];
}

export interface HubFigures {
  readonly hubId: string;
  readonly figures: OperationsFigures;
}

export interface Minute {
  readonly atMs: number;
  readonly hubs: readonly HubFigures[];
}

interface Rule {
  readonly key: string;
  readonly name: string;
  readonly complaint: string;
  readonly limit: string;
  readonly severity: 'warning' | 'bad';
  /** A breach is pending until it has lasted this long. */
  readonly forMs: number;
  readonly valueOf: (figures: OperationsFigures) => number | null;
  readonly isBeyond: (value: number) => boolean;
  readonly format: (value: number) => string;
}

const minuteMs = 60_000;
/**
 * A hub without heartbeats counts as dead only after this time. Until then, the page may not have read that the hub was
 * shut down normally.
 */
const deadForMs = 20_000;
const perSecond = (count: number, ms: number) => (ms > 0 ? (count * 1000) / ms : 0);
const percentText = (share: number) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;
const perMinuteText = (value: number) => `${countText(value)} a minute`;
const above = (limit: number) => (value: number) => value > limit;
const upOrDown = (value: number) => (value > 0 ? 'away' : 'answers');

/** The thresholds equal those of the alerts in infra/monitoring, where such an alert exists. */
const rules: readonly Rule[] = [
  {
    ...{ key: 'database', name: 'Database', complaint: 'The database does not answer' },
    ...{ limit: 'answers', severity: 'bad', forMs: 0 },
    valueOf: ({ database }) => Number(database === 'down'),
    ...{ isBeyond: above(0), format: upOrDown },
  },
  {
    ...{ key: 'redis', name: 'Redis', complaint: 'Redis is away' },
    ...{ limit: 'answers, if it is configured', severity: 'bad', forMs: 0 },
    valueOf: ({ redis }) => (redis === 'none' ? null : Number(redis === 'away')),
    ...{ isBeyond: above(0), format: upOrDown },
  },
  {
    ...{ key: 'publish', name: 'Publish path', complaint: 'Events do not come back from Redis' },
    ...{ limit: 'answers, while Redis does', severity: 'bad', forMs: 0 },
    valueOf: ({ publishPath, redis }) =>
      publishPath === 'unused' || redis !== 'in_use' ? null : Number(publishPath === 'down'),
    ...{ isBeyond: above(0), format: upOrDown },
  },
  {
    ...{ key: 'failed', name: 'Failed calls', complaint: 'Calls fail' },
    ...{ limit: 'at most 1.4%', severity: 'bad', forMs: minuteMs },
    valueOf: ({ failedCalls, calls }) => (calls === 0 ? null : failedCalls / calls),
    ...{ isBeyond: above(0.0144), format: percentText },
  },
  {
    ...{ key: 'ack', name: 'Acknowledgement p99', complaint: 'Sends are acknowledged slowly' },
    ...{ limit: 'at most 100 ms', severity: 'warning', forMs: minuteMs },
    valueOf: ({ ackP99Ms }) => ackP99Ms,
    ...{ isBeyond: above(100), format: millisecondsText },
  },
  {
    ...{ key: 'delivery', name: 'Delivery p99', complaint: 'Events reach the sockets slowly' },
    ...{ limit: 'at most 100 ms', severity: 'warning', forMs: minuteMs },
    valueOf: ({ deliveryP99Ms }) => deliveryP99Ms,
    ...{ isBeyond: above(100), format: millisecondsText },
  },
  {
    ...{
      key: 'lag',
      name: 'Sockets that lag',
      complaint: 'Clients do not read what they are sent',
    },
    ...{ limit: 'at most 5%', severity: 'warning', forMs: minuteMs },
    valueOf: ({ laggingNow, sockets }) => (sockets === 0 ? null : laggingNow / sockets),
    ...{ isBeyond: above(0.05), format: percentText },
  },
  {
    ...{ key: 'queue', name: 'Waiting writes', complaint: 'Writes wait for the database' },
    ...{ limit: 'at most 500', severity: 'warning', forMs: minuteMs },
    valueOf: ({ queueLength }) => queueLength,
    ...{ isBeyond: above(500), format: countText },
  },
  {
    ...{ key: 'publishFailures', name: 'Failed publishes', complaint: 'Events do not reach Redis' },
    ...{ limit: 'none while Redis answers', severity: 'warning', forMs: 0 },
    valueOf: ({ publishFailures, redis, ms }) =>
      redis === 'in_use' ? perSecond(publishFailures, ms) * 60 : null,
    ...{ isBeyond: above(0), format: perMinuteText },
  },
  {
    ...{ key: 'repairs', name: 'Repairs from the log', complaint: 'Channels are behind the log' },
    ...{ limit: 'at most 10 a minute', severity: 'warning', forMs: minuteMs },
    valueOf: ({ tailRepairs, ms }) => perSecond(tailRepairs, ms) * 60,
    ...{ isBeyond: above(10), format: perMinuteText },
  },
  {
    ...{ key: 'refused', name: 'Calls over a limit', complaint: 'Agents exceed their limits' },
    ...{ limit: 'at most 60 a minute', severity: 'warning', forMs: minuteMs },
    valueOf: ({ refusedCalls, ms }) => perSecond(refusedCalls, ms) * 60,
    ...{ isBeyond: above(60), format: perMinuteText },
  },
  {
    ...{ key: 'connections', name: 'Refused connections', complaint: 'Connections are refused' },
    ...{ limit: 'at most 60 a minute', severity: 'warning', forMs: minuteMs },
    valueOf: ({ refusedConnections, ms }) => perSecond(refusedConnections, ms) * 60,
    ...{ isBeyond: above(60), format: perMinuteText },
  },
];

/** Maps each check to the beginning of its uninterrupted breach, as seen by this page. */
export type Breaches = ReadonlyMap<string, number>;

export interface ChecksInput {
  readonly nowMs: number;
  readonly now: readonly HubFigures[];
  /** The oldest minute comes first. */
  readonly minutes: readonly Minute[];
  /** Null while the database, which has the heartbeats, is away. */
  readonly hubs: readonly SeenHub[] | null;
  readonly breaches: Breaches;
}

export function checksOf(input: ChecksInput): readonly Check[] {
  const checks = [hubCheck(input), ...rules.map((rule) => checkOf(rule, input))];
  const order: readonly CheckState[] = ['bad', 'warning', 'pending', 'good'];
  return checks.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
}

export function breachesOf(checks: readonly Check[]): Breaches {
  return new Map(
    checks.flatMap(({ key, sinceMs }) => (sinceMs === null ? [] : [[key, sinceMs] as const])),
  );
}

function checkOf(rule: Rule, { nowMs, now, minutes, breaches }: ChecksInput): Check {
  const { key, name, complaint, limit, severity, forMs, valueOf, isBeyond, format } = rule;
  const isBreached = ({ figures }: HubFigures) => {
    const value = valueOf(figures);
    return value !== null && isBeyond(value);
  };
  const breached = now.filter(isBreached);
  const values = now.flatMap(({ figures }) => valueOf(figures) ?? []);
  const value = values.length === 0 ? unmeasured : format(Math.max(...values));
  const same = { key, name, complaint, limit, value };
  if (breached.length === 0) return { ...same, state: 'good', sinceMs: null, hubIds: [] };
  const sinceMs = Math.min(
    breaches.get(key) ?? nowMs,
    beginningOf(minutes, nowMs, ({ hubs }) => hubs.some(isBreached)),
  );
  const state = nowMs - sinceMs < forMs ? 'pending' : severity;
  return { ...same, state, sinceMs, hubIds: breached.map(({ hubId }) => hubId) };
}

/** Returns `nowMs` when the newest minute has no breach. */
function beginningOf(
  minutes: readonly Minute[],
  nowMs: number,
  isBreached: (minute: Minute) => boolean,
): number {
  let sinceMs = nowMs;
  for (const minute of minutes.toReversed()) {
    // A minute is written after its end, so the newest may be two minutes old. A longer gap ends
    // the search.
    if (sinceMs - minute.atMs > 3 * minuteMs || !isBreached(minute)) break;
    sinceMs = Math.min(sinceMs, minute.atMs);
  }
  return sinceMs;
}

function hubCheck({ nowMs, hubs }: ChecksInput): Check {
  const shown = hubs?.filter(({ isDismissed }) => !isDismissed) ?? [];
  const dead = shown.filter(({ lastBeatMs }) => nowMs - lastBeatMs >= aliveWithinMs);
  const sinceMs = dead.length === 0 ? null : Math.min(...dead.map(({ lastBeatMs }) => lastBeatMs));
  const isNew = sinceMs !== null && nowMs - sinceMs < deadForMs;
  return {
    ...{ key: 'hubs', name: 'Hubs', limit: 'all beat' },
    complaint: dead.length === 1 ? 'A hub is dead' : `${dead.length} hubs are dead`,
    value: hubs === null ? 'not known' : `${shown.length - dead.length} of ${shown.length}`,
    state: sinceMs === null ? 'good' : isNew ? 'pending' : 'bad',
    sinceMs,
    hubIds: dead.map(({ hubId }) => hubId),
  };
}

/**
 * Leaves out hubs that are not alive. The hub that answers gives its own figures itself, because the database may be
 * away.
 */
export function figuresNow(snapshot: Operations): readonly HubFigures[] {
  const { hubId, hubs, latency, database, redis, publishPath } = snapshot;
  const { sockets, agents, rooms, laggingNow } = snapshot;
  // A hub of an earlier release sends no figures.
  const own = hubs.find((hub) => hub.hubId === hubId)?.figures ?? nothingCounted;
  const others = hubs.flatMap((hub) =>
    hub.figures == null || hub.lastBeatAgoMs >= aliveWithinMs || hub.hubId === hubId
      ? []
      : [{ hubId: hub.hubId, figures: hub.figures }],
  );
  const present = {
    ...{ sockets, agents, rooms, laggingNow, queueLength: database.queueLength },
    ackP99Ms: latency.ackMs?.p99 ?? null,
    deliveryP99Ms: latency.deliveryMs?.p99 ?? null,
    ...{ database: database.status, redis: redis.status, publishPath: publishPath.status },
  };
  return [{ hubId, figures: { ...own, ...present } }, ...others];
}

const nothingCounted: OperationsFigures = {
  ...{ ms: 0, messages: 0, deliveries: 0, calls: 0, failedCalls: 0, refusedCalls: 0 },
  ...{ publishFailures: 0, tailRepairs: 0, laggingSockets: 0, badFrames: 0 },
  ...{ refusedConnections: 0, closedConnections: 0, redisReconnects: 0 },
  ...{ ackP99Ms: null, deliveryP99Ms: null, sockets: 0, agents: 0, rooms: 0, laggingNow: 0 },
  ...{ queueLength: 0, database: 'ok', redis: 'none', publishPath: 'unused', ended: false },
};
