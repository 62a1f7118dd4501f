import { expect, it } from '@jest/globals';
import type { Operations, OperationsFigures } from '@openclaw/protocol';
import { breachesOf, checksOf, figuresNow, type Breaches, type Minute } from './checks.ts';

const minuteMs = 60_000;
const nowMs = 1_000 * minuteMs;
const well: OperationsFigures = {
  ...{ ms: 5_000, messages: 50, deliveries: 500, calls: 60, failedCalls: 0, refusedCalls: 0 },
  ...{ publishFailures: 0, tailRepairs: 0, laggingSockets: 0, badFrames: 0 },
  ...{ refusedConnections: 0, closedConnections: 0, redisReconnects: 0 },
  ...{ ackP99Ms: 4, deliveryP99Ms: 9, sockets: 10, agents: 10, rooms: 2, laggingNow: 0 },
  ...{ queueLength: 0, database: 'ok', redis: 'in_use', publishPath: 'ok', ended: false },
};
const hub = (hubId: string, figures: Partial<OperationsFigures> = {}) => ({
  ...{ hubId, figures: { ...well, ...figures } },
});
const beating = (hubId: string, agoMs = 500) => ({
  ...{ hubId, lastBeatMs: nowMs - agoMs, isThis: false, isDismissed: false },
});
const nothing: Breaches = new Map();
const check = (more: Partial<Parameters<typeof checksOf>[0]>, key: string) => {
  const checks = checksOf({
    ...{ nowMs, now: [hub('a'), hub('b')], minutes: [], breaches: nothing },
    ...{ hubs: [beating('a'), beating('b')], ...more },
  });
  return { checks, found: checks.find((one) => one.key === key) };
};
const minutes = (count: number, figuresOf: (minute: number) => Partial<OperationsFigures>) =>
  Array.from({ length: count }, (_, n): Minute => ({
    atMs: nowMs - (count - n) * minuteMs,
    hubs: [hub('a'), hub('b', figuresOf(count - n))],
  }));

it('finds nothing wrong with well hubs', () => {
  const { checks } = check({}, 'hubs');
  expect(checks.filter(({ state }) => state !== 'good')).toEqual([]);
});

it('names the hub whose database is away, and since which minute', () => {
  const { checks } = check(
    {
      now: [hub('a'), hub('b', { database: 'down' })],
      minutes: minutes(30, (ago) => ({ database: ago <= 12 || ago === 20 ? 'down' : 'ok' })),
    },
    'database',
  );
  expect(checks[0]).toMatchObject({
    ...{ key: 'database', state: 'bad', hubIds: ['b'], sinceMs: nowMs - 12 * minuteMs },
  });
});

it('a slow hub is pending for a minute, and then a warning', () => {
  const now = [hub('a', { ackP99Ms: 180 }), hub('b')];
  const first = check({ now }, 'ack');
  expect(first.found).toMatchObject({ state: 'pending', value: '180 ms', sinceMs: nowMs });
  const later = { now, nowMs: nowMs + minuteMs, breaches: breachesOf(first.checks) };
  expect(check(later, 'ack').found).toMatchObject({ state: 'warning', sinceMs: nowMs });
  // Negative control: if the earlier breach is not known, the breach begins only now.
  expect(check({ ...later, breaches: nothing }, 'ack').found?.state).toBe('pending');
});

it('a hub without heartbeats is an alarm after twenty seconds, unless it was dismissed', () => {
  const dead = (agoMs: number) => ({ hubs: [beating('a'), beating('b', agoMs)] });
  expect(check(dead(10_000), 'hubs').found?.state).toBe('pending');
  expect(check(dead(30_000), 'hubs').found).toMatchObject({
    ...{ state: 'bad', value: '1 of 2', sinceMs: nowMs - 30_000, complaint: 'A hub is dead' },
  });
  const dismissed = { hubs: [beating('a'), { ...beating('b', 30_000), isDismissed: true }] };
  expect(check(dismissed, 'hubs').found?.state).toBe('good');
});

it('a hub without Redis by its configuration is well', () => {
  const now = [hub('a', { redis: 'none', publishPath: 'unused' })];
  expect(check({ now }, 'redis').found).toMatchObject({ state: 'good', value: '–' });
});

it('a hub without its database says so at once, and not that the other hubs are dead', () => {
  const snapshot = {
    ...{ hubId: 'a', hubs: [], latency: { ackMs: null, deliveryMs: null } },
    ...{ sockets: 1, agents: 1, rooms: 0, laggingNow: 0 },
    ...{ database: { status: 'down', queueLength: 3 }, redis: { status: 'in_use' } },
    publishPath: { status: 'ok' },
  } as unknown as Operations;
  const now = figuresNow(snapshot);
  const { checks, found } = check({ now, hubs: null }, 'hubs');
  expect(found).toMatchObject({ state: 'good', value: 'not known' });
  expect(checks[0]).toMatchObject({ key: 'database', state: 'bad', hubIds: ['a'] });
});
