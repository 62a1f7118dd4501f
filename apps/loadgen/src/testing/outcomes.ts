import { latencyNames, type LatencyName, type LatencySummary } from '../measure/latencies.ts';
import type { Measurement, Outcome } from '../measure/outcome.ts';
import { createPlan } from '../plan/create-plan.ts';
import { scenarios } from '../plan/scenarios.ts';
import {
  defaultThresholdsPath,
  readThresholdsFile,
  thresholdsFor,
  type Thresholds,
} from '../plan/thresholds.ts';

export function summary(p99: number): LatencySummary {
  return { count: 10, p50: 1, p90: 2, p99, max: p99, mean: 1.5 };
}

const latencies = Object.fromEntries(latencyNames.map((name) => [name, null])) as Record<
  LatencyName,
  LatencySummary | null
>;

export const goodMeasurement: Measurement = {
  measuredMs: 10_000,
  connected: 112,
  sent: 10_250,
  acked: 10_250,
  skipped: 0,
  operationsPerSecond: 1_020,
  deliveriesPerSecond: 112_000,
  deliveries: 1_120_000,
  lost: 0,
  doubled: 0,
  reconnects: 0,
  errors: {},
  latencies: {
    ...latencies,
    delivery: summary(8),
    ack: summary(9),
    typing: summary(10),
    presence: summary(60),
    reaction: summary(12),
    lateness: summary(1),
  },
  hub: { cpuUsPerDelivery: 2, cores: 0.3, rssBytes: 200 * 2 ** 20 },
  generator: { cores: 0.5, loopUtilization: 0.4 },
  machine: { cores: 2, busy: 0.5, stolen: 0 },
};

const stage = { factor: 1, durationMs: 10_000 };

export function outcomeWith(changes: Partial<Measurement> = {}): Outcome {
  const measurement = { ...goodMeasurement, ...changes };
  const noTls = { ca: null, isInsecure: false };
  return {
    plan: { ...createPlan(scenarios.hall, ['ws://hub/'], noTls, { workers: 1 }), runId: 'r' },
    startedAt: '2026-11-28T05:00:00.000Z',
    isInterrupted: false,
    failures: {},
    stages: [{ stage, measurement }],
    total: measurement,
    series: [0, 1, 2].map((second) => ({
      atMs: second * 1_000,
      sent: 1_000,
      acked: 1_000,
      errors: 0,
      reconnects: 0,
      deliveries: 111_000,
      latencies: { delivery: summary(8), ack: summary(9), lateness: summary(1) },
    })),
    usesRedis: true,
  };
}

const file = readThresholdsFile(defaultThresholdsPath);

export function thresholdsOf({ plan }: Outcome): Thresholds {
  return thresholdsFor(plan, file);
}
