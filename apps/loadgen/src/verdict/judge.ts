import { formatCount, formatCounts, formatNumber, latencyTitles } from '../reports/format.ts';
import { latencyNames, type LatencyName } from '../measure/latencies.ts';
import type { Measurement, Outcome } from '../measure/outcome.ts';
import { averageCallRate, averageMessageRate, type Plan, type Stage } from '../plan/plan.ts';
import { saturationOf } from './saturation.ts';
import { plannedThroughput, type LatencyLimits, type Thresholds } from '../plan/thresholds.ts';

export interface Check {
  readonly id: string;
  readonly name: string;
  readonly limit: string;
  readonly measured: string;
  /** Null if the run has no measurement for the check. */
  readonly holds: boolean | null;
  /** True if a slow generator can make the check fail. */
  readonly dependsOnMachine: boolean;
}

/**
 * `inconclusive` means that a threshold failed while the generator's machine was overloaded, so the hub may not be
 * the cause.
 */
export type Verdict = 'pass' | 'fail' | 'inconclusive';

export interface StageJudgement {
  readonly stage: Stage;
  readonly verdict: Verdict;
  readonly checks: readonly Check[];
  /** These signs show that the machine of the generator may be the cause of a failure. */
  readonly saturation: readonly string[];
  readonly callsPerSecond: number;
}

export interface Judgement {
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  readonly checks: readonly Check[];
  readonly stages: readonly StageJudgement[];
  /** For a ramp, covers the highest stage that passed, or else the first. For other runs, covers all stages. */
  readonly measurement: Measurement;
}

/**
 * A ramp stops at the first stage that does not pass, so it is judged by its highest stage that passed. Any other run
 * is judged as a whole.
 */
export function judge(outcome: Outcome, thresholds: Thresholds): Judgement {
  const stages = outcome.stages.map(({ stage, measurement }) =>
    judgeStage(outcome, stage, measurement, thresholds),
  );
  if (outcome.plan.isRamp) return judgeRamp(outcome, stages);
  const whole = wholeOf(outcome.stages.map(({ stage }) => stage));
  const total = judgeStage(outcome, whole, outcome.total, thresholds);
  const { verdict, checks } = total;
  return { verdict, checks, reasons: reasonsFor(total), stages, measurement: outcome.total };
}

export function isRampHolding(outcome: Outcome, thresholds: Thresholds): boolean {
  const last = outcome.stages.at(-1);
  if (last === undefined) return true;
  const { verdict } = judgeStage(outcome, last.stage, last.measurement, thresholds);
  return verdict === 'pass';
}

function wholeOf(stages: readonly Stage[]): Stage {
  const totalMs = stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const work = stages.reduce((sum, { durationMs, factor }) => sum + durationMs * factor, 0);
  return { factor: work / totalMs, durationMs: totalMs / stages.length };
}

function judgeRamp(outcome: Outcome, stages: readonly StageJudgement[]): Judgement {
  const held = stages.findLastIndex(({ verdict }) => verdict === 'pass');
  const heldStage = stages[held];
  const last = stages.at(-1);
  const headline = heldStage ?? stages[0];
  const measurement = outcome.stages[Math.max(0, held)]?.measurement ?? outcome.total;
  if (headline === undefined || last === undefined) {
    const reasons = ['No stage ended.'];
    return { verdict: 'inconclusive', reasons, checks: [], stages, measurement };
  }
  const rate = (stage: StageJudgement) =>
    `${formatCount(Math.round(stage.callsPerSecond))} calls/s (${formatNumber(stage.stage.factor)} times the plan)`;
  const reasons = [];
  if (heldStage !== undefined) reasons.push(`It held ${rate(heldStage)}.`);
  if (last.verdict === 'pass') reasons.push('It did not break up to the last stage.');
  else {
    const cause = last.verdict === 'fail' ? 'It broke' : 'The result is inconclusive';
    reasons.push(`${cause} at ${rate(last)}.`, ...reasonsFor(last));
  }
  return { verdict: headline.verdict, checks: headline.checks, reasons, stages, measurement };
}

function reasonsFor({ checks, verdict, saturation }: StageJudgement): string[] {
  const failed = checks
    .filter(({ holds }) => holds === false)
    .map(({ name, limit, measured }) => `${name}: ${measured}, and the limit is ${limit}.`);
  if (verdict === 'pass') return [];
  return verdict === 'fail' ? failed : [...saturation, ...failed];
}

function judgeStage(
  outcome: Outcome,
  stage: Stage,
  measurement: Measurement,
  thresholds: Thresholds,
): StageJudgement {
  const checks = checksFor(outcome, stage, measurement, thresholds);
  const failed = checks.filter(({ holds }) => holds === false);
  const deliveryMs = thresholds.calls.delivery?.p99Ms ?? defaultDeliveryMs;
  const saturation = saturationOf(measurement, deliveryMs / 2);
  const isMachine = saturation.length > 0 && failed.every((check) => check.dependsOnMachine);
  return {
    stage,
    checks,
    saturation,
    verdict: failed.length === 0 ? 'pass' : isMachine ? 'inconclusive' : 'fail',
    callsPerSecond: measurement.operationsPerSecond,
  };
}

const defaultDeliveryMs = 50;
const machineErrors = new Set(['timeout', 'disconnected', 'queue_full']);

function plannedCount(plan: Plan, { factor, durationMs }: Stage, name: LatencyName): number {
  const count = (perSecond: number) => (perSecond * factor * durationMs) / 1000;
  const { rates } = plan;
  switch (name) {
    case 'delivery':
    case 'ack':
      return count(averageMessageRate(plan));
    case 'typing':
      return count(rates.typing + (plan.typingLeadMs > 0 ? averageMessageRate(plan) : 0));
    case 'reconnect':
      return plan.cutEveryMs !== null && durationMs > plan.cutEveryMs ? plan.agents : 0;
    case 'lateness':
      return count(averageCallRate(plan));
    default:
      return count(rates[name]);
  }
}

const percentiles = [
  ['p50Ms', 'p50'],
  ['p90Ms', 'p90'],
  ['p99Ms', 'p99'],
  ['maxMs', 'max'],
] as const satisfies readonly (readonly [keyof LatencyLimits, string])[];

function checksFor(
  outcome: Outcome,
  stage: Stage,
  measurement: Measurement,
  thresholds: Thresholds,
): Check[] {
  const { plan } = outcome;
  const checks: Check[] = [];
  for (const name of latencyNames) {
    const planned = plannedCount(plan, stage, name);
    if (planned < 1) continue;
    const summary = measurement.latencies[name];
    for (const [key, percentile] of percentiles) {
      const maxMs = thresholds.calls[name]?.[key];
      if (maxMs === undefined) continue;
      checks.push({
        id: `${name}.${percentile}`,
        name: `${latencyTitles[name]} ${percentile}`,
        limit: `< ${formatCount(maxMs)} ms`,
        dependsOnMachine: true,
        // Without a measurement, the check fails. In an interrupted run, it is left open.
        ...(summary === null
          ? { measured: 'nothing came', holds: outcome.isInterrupted ? null : false }
          : {
              measured: `${formatNumber(summary[percentile])} ms`,
              holds: summary[percentile] < maxMs,
            }),
      });
    }
  }
  const errors = Object.values(measurement.errors).reduce((sum, count) => sum + count, 0);
  const { lost, doubled, hub } = measurement;
  // Skipped operations were never sent to the hub, so the required throughput does not include them.
  const skippedPerSecond = (measurement.skipped * 1000) / measurement.measuredMs;
  const minThroughput = Math.floor(
    thresholds.minThroughput ?? Math.max(0, plannedThroughput(plan, stage) - skippedPerSecond),
  );
  const memoryMb = hub === null ? null : hub.rssBytes / 1024 / 1024;
  checks.push(
    {
      id: 'throughput',
      name: 'throughput',
      limit: `≥ ${formatCount(minThroughput)} calls/s`,
      measured: `${formatNumber(measurement.operationsPerSecond)} calls/s`,
      holds:
        outcome.isInterrupted && measurement.acked === 0
          ? null
          : measurement.operationsPerSecond >= minThroughput,
      dependsOnMachine: true,
    },
    {
      id: 'memory',
      name: 'hub memory',
      limit: `< ${formatCount(thresholds.maxMemoryMb)} MB`,
      measured: memoryMb === null ? 'needs --hub-pid' : `${formatNumber(memoryMb)} MB`,
      holds: memoryMb === null ? null : memoryMb < thresholds.maxMemoryMb,
      dependsOnMachine: false,
    },
    {
      id: 'connections',
      name: 'connections',
      limit: `≥ ${formatCount(thresholds.minAgents)} agents and the watcher`,
      measured: `${formatCount(measurement.connected)} connected`,
      holds: measurement.connected >= thresholds.minAgents + 1,
      dependsOnMachine: true,
    },
    {
      id: 'order',
      name: 'exactly once, in order',
      limit: 'none lost or doubled',
      measured: `${formatCount(lost)} lost, ${formatCount(doubled)} doubled`,
      holds: lost === 0 && doubled === 0,
      dependsOnMachine: false,
    },
    {
      id: 'errors',
      name: 'errors',
      limit: `≤ ${formatCount(thresholds.maxErrors)}`,
      measured: errors === 0 ? '0' : `${formatCount(errors)} (${formatCounts(measurement.errors)})`,
      holds: errors <= thresholds.maxErrors,
      dependsOnMachine: Object.keys(measurement.errors).every((code) => machineErrors.has(code)),
    },
  );
  return checks;
}
