import { describe, expect, it } from '@jest/globals';
import type { LatencyName, LatencySummary } from './latencies.ts';
import { formatReport } from './report.ts';
import type { Outcome } from './run.ts';
import { judge, targetDefaults } from './targets.ts';

const summary = (p99: number): LatencySummary => ({ count: 10, p50: 1, p90: 2, p99, max: p99 });
const latencies: Record<LatencyName, LatencySummary | null> = {
  delivery: summary(8),
  ack: summary(9),
  typing: summary(10),
  presence: summary(60),
  reaction: summary(12),
  lateness: summary(1),
};
const good: Outcome = {
  plan: {
    url: 'ws://x',
    runId: 'r',
    scenario: 'hall',
    agents: 111,
    channels: ['c'],
    workers: 1,
    rate: 1000,
    typingRate: 5,
    presenceRate: 5,
    reactionRate: 10,
    contentChars: 120,
    durationMs: 10_000,
    warmupMs: 2000,
  },
  ...{ isInterrupted: false, measuredMs: 10_000, connected: 112, failures: {}, sent: 1, acked: 1 },
  operationsPerSecond: 1020,
  deliveriesPerSecond: 112_000,
  deliveries: 1_120_000,
  ...{
    lost: 0,
    doubled: 0,
    reconnects: 0,
    errors: {},
    latencies,
    generatorCores: 0.5,
    machine: null,
    usesRedis: true,
  },
  hub: { cpuUsPerDelivery: 2, cores: 0.3, rssBytes: 200 * 2 ** 20 },
};
const failing = (changes: Partial<Outcome>) =>
  judge({ ...good, ...changes }, targetDefaults)
    .filter(({ holds }) => holds === false)
    .map(({ name }) => name);
const withLatency = (name: LatencyName, p99: number | null) => ({
  latencies: { ...latencies, [name]: p99 === null ? null : summary(p99) },
});

describe('targets', () => {
  it('pass for a good run, and each fails alone if its measure is bad', () => {
    expect(failing({})).toEqual([]);
    expect(failing(withLatency('delivery', 50))).toEqual(['Pub/sub latency']);
    expect(failing(withLatency('presence', 100))).toEqual(['Presence updates']);
    expect(failing(withLatency('typing', 100))).toEqual(['Typing broadcast']);
    expect(failing({ operationsPerSecond: 999 })).toEqual(['Throughput']);
    expect(failing({ hub: { cpuUsPerDelivery: 1, cores: 1, rssBytes: 500 * 2 ** 20 } })).toEqual([
      'Hub memory',
    ]);
    expect(failing({ connected: 111 })).toEqual(['Connections']);
    expect(failing({ lost: 1 })).toEqual(['Exactly once, in order']);
    expect(failing({ doubled: 1 })).toEqual(['Exactly once, in order']);
    expect(failing({ errors: { timeout: 1 } })).toEqual(['Errors']);
  });

  it('fail if the requested measurements are missing', () => {
    expect(failing(withLatency('typing', null))).toEqual(['Typing broadcast']);
  });

  it('are undecided if the run does not measure them', () => {
    const verdicts = judge(
      { ...good, ...withLatency('typing', null), hub: null, plan: { ...good.plan, typingRate: 0 } },
      targetDefaults,
    );
    expect(verdicts.filter(({ holds }) => holds === null).map(({ name }) => name)).toEqual([
      'Typing broadcast',
      'Hub memory',
    ]);
  });

  it('are in the report, with the other measurements', () => {
    const outcome = {
      ...good,
      errors: { rate_limited: 3 },
      failures: { 'no welcome': 2 },
      reconnects: 4,
    };
    const report = formatReport(outcome, judge(outcome, targetDefaults));
    expect(report).toContain(
      'hall: 111 agents + 1 watcher, 1 channel, 1,000 messages/s for 10.0 s',
    );
    expect(report).toMatch(/message delivery +10 +1\.00 +2\.00 +8\.00 +8\.00/);
    expect(report).toMatch(/throughput +1,020 ops\/s in, 112,000 deliveries\/s out/);
    expect(report).toMatch(/errors +rate_limited 3\n +the hub’s HUB_LIMIT_MESSAGE/);
    expect(report).toMatch(/left out +2 agents: no welcome/);
    expect(report).toMatch(/reconnects +4/);
    expect(report).toMatch(/Errors +≤ 0 +3 +FAIL/);
    expect(report).toMatch(/Hub memory +< 500 MB +200 MB +pass/);
  });
});
