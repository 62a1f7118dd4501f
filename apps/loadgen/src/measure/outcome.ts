import type { AgentGroupReport } from '../fleet/agent-group.ts';
import {
  createLatencies,
  latencyNames,
  type LatencyName,
  type LatencySummary,
} from './latencies.ts';
import type { MachineUsage } from './machine.ts';
import type { Plan, Stage } from '../plan/plan.ts';
import type { SeriesPoint } from './series.ts';
import type { Usage } from './usage.ts';

export interface Measurement {
  readonly measuredMs: number;
  /** Counts connections at the end, including the watcher's. */
  readonly connected: number;
  readonly sent: number;
  readonly acked: number;
  /** Counts operations that could not be run, such as a reaction before the first message. */
  readonly skipped: number;
  /** Counts acknowledged calls and received events. */
  readonly operationsPerSecond: number;
  readonly deliveriesPerSecond: number;
  readonly deliveries: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reconnects: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly latencies: Readonly<Record<LatencyName, LatencySummary | null>>;
  readonly hub: {
    readonly cpuUsPerDelivery: number;
    readonly cores: number;
    readonly rssBytes: number;
  } | null;
  readonly generator: {
    readonly cores: number;
    /** The share of the time in which the busiest thread's event loop was busy. */
    readonly loopUtilization: number;
  };
  readonly machine: MachineUsage | null;
}

export interface StageOutcome {
  readonly stage: Stage;
  readonly measurement: Measurement;
}

export interface Outcome {
  readonly plan: Plan;
  readonly startedAt: string;
  readonly isInterrupted: boolean;
  /** How often agents failed to connect, join or subscribe, by error message. */
  readonly failures: Readonly<Record<string, number>>;
  readonly stages: readonly StageOutcome[];
  readonly total: Measurement;
  readonly series: readonly SeriesPoint[];
  /** Null if the hub does not report whether it uses Redis. */
  readonly usesRedis: boolean | null;
}

export interface StageRecord {
  readonly stage: Stage;
  readonly reports: readonly AgentGroupReport[];
  readonly connected: number;
  readonly measureMs: number;
  readonly isInterrupted: boolean;
  readonly usage: Usage;
}

export function sumByKey(
  records: readonly Readonly<Record<string, number>>[],
): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const record of records) {
    for (const [key, count] of Object.entries(record)) sums[key] = (sums[key] ?? 0) + count;
  }
  return sums;
}

function measuredMsOf({ stage, reports, measureMs, isInterrupted }: StageRecord): number {
  const lastAckMs = Math.max(...reports.map((report) => report.lastAckMs));
  // The time lasts until the last answer, so late answers lower the throughput.
  return Math.max(isInterrupted ? 0 : stage.durationMs, lastAckMs - measureMs, 1);
}

export function measurementOf(records: readonly StageRecord[]): Measurement {
  const reports = records.flatMap((record) => record.reports);
  const sum = (of: (report: AgentGroupReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  const sumUsage = (of: (usage: Usage) => number) =>
    records.reduce((total, { usage }) => total + of(usage), 0);
  const latencies = createLatencies();
  for (const report of reports) latencies.add(report.latencies);
  const acked = sum((report) => report.acked);
  const deliveries = sum((report) => report.deliveries);
  const measuredMs = records.reduce((total, record) => total + measuredMsOf(record), 0);
  const usageMs = Math.max(
    1,
    sumUsage((usage) => usage.elapsedMs),
  );
  const hubs = records.flatMap(({ usage }) => (usage.hub === null ? [] : [usage.hub]));
  const hubCpuMs = hubs.reduce((total, hub) => total + hub.cpuMs, 0);
  return {
    measuredMs,
    connected: records.at(-1)?.connected ?? 0,
    acked,
    deliveries,
    sent: sum((report) => report.sent),
    skipped: sum((report) => report.skipped),
    operationsPerSecond: (acked * 1000) / measuredMs,
    deliveriesPerSecond: (deliveries * 1000) / measuredMs,
    lost: sum((report) => report.lost),
    doubled: sum((report) => report.doubled),
    reconnects: sum((report) => report.reconnects),
    errors: sumByKey(reports.map((report) => report.errors)),
    latencies: Object.fromEntries(
      latencyNames.map((name) => [name, latencies.summary(name)]),
    ) as Measurement['latencies'],
    hub:
      hubs.length === 0
        ? null
        : {
            cpuUsPerDelivery: (hubCpuMs * 1000) / Math.max(1, deliveries),
            cores: hubCpuMs / usageMs,
            rssBytes: Math.max(...hubs.map((hub) => hub.rssBytes)),
          },
    generator: {
      cores: sumUsage((usage) => usage.ownCpuMs) / usageMs,
      loopUtilization: Math.max(...reports.map((report) => report.loopUtilization)),
    },
    machine: meanMachine(records),
  };
}

function meanMachine(records: readonly StageRecord[]): MachineUsage | null {
  let weightMs = 0;
  let busy = 0;
  let stolen = 0;
  let cores = 0;
  for (const { usage } of records) {
    if (usage.machine === null) continue;
    weightMs += usage.elapsedMs;
    busy += usage.machine.busy * usage.elapsedMs;
    stolen += usage.machine.stolen * usage.elapsedMs;
    cores = usage.machine.cores;
  }
  return weightMs === 0 ? null : { cores, busy: busy / weightMs, stolen: stolen / weightMs };
}
