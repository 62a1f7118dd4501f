import { formatCount, formatCounts, formatNumber, formatPercent, latencyTitles } from './format.ts';
import type { Comparison } from '../verdict/comparison.ts';
import type { Check, Judgement, Verdict } from '../verdict/judge.ts';
import { latencyNames } from '../measure/latencies.ts';
import type { Measurement, Outcome } from '../measure/outcome.ts';
import { averageMessageRate } from '../plan/plan.ts';

export const verdictTitles: Readonly<Record<Verdict, string>> = {
  pass: 'PASS',
  fail: 'FAIL',
  inconclusive: 'INCONCLUSIVE',
};

export function titleOf({ plan, total, isInterrupted }: Outcome): string {
  const channels = `${plan.channels.length} channel${plan.channels.length === 1 ? '' : 's'}`;
  const from = plan.isRamp ? 'a ramp from ' : '';
  const messages = `${from}${formatCount(averageMessageRate(plan))} messages/s`;
  const seconds = formatNumber(total.measuredMs / 1000);
  const interrupted = isInterrupted ? ' (interrupted)' : '';
  return `${plan.scenario}: ${formatCount(plan.agents)} agents + 1 watcher, ${channels}, ${messages} for ${seconds} s${interrupted}`;
}

export function latencyHeading({ plan }: Outcome): string {
  return plan.isRamp ? 'ms, at the highest load held' : 'ms from the due time';
}

export function thresholdHeading({ plan }: Outcome): string {
  return plan.isRamp ? 'threshold, at the highest load held' : 'threshold';
}

export function factsOf(
  { plan, failures, usesRedis }: Outcome,
  measurement: Measurement,
): [string, string][] {
  const { errors, hub, generator, machine } = measurement;
  const facts: [string, string][] = [
    [
      'throughput',
      `${formatNumber(measurement.operationsPerSecond)} calls/s in, ${formatNumber(measurement.deliveriesPerSecond)} deliveries/s out`,
    ],
    [
      'order',
      `${formatCount(measurement.lost)} lost, ${formatCount(measurement.doubled)} doubled of ${formatCount(measurement.deliveries)} deliveries`,
    ],
    ['errors', formatCounts(errors) || 'none'],
  ];
  if (errors['rate_limited'] !== undefined) {
    const limits =
      'the hub’s HUB_LIMIT_MESSAGE, _REACTION and _TYPING are 600/60 an agent by default';
    facts.push(['', limits]);
  }
  if (measurement.skipped > 0)
    facts.push([
      'skipped',
      `${formatCount(measurement.skipped)} operations that were not possible yet`,
    ]);
  for (const [why, count] of Object.entries(failures))
    facts.push(['left out', `${formatCount(count)} agents: ${why}`]);
  if (measurement.reconnects > 0) facts.push(['reconnects', formatCount(measurement.reconnects)]);
  if (hub !== null) {
    const memory = `${formatNumber(hub.rssBytes / 1024 / 1024)} MB`;
    const cpu =
      measurement.deliveries === 0
        ? 'no delivery'
        : `${formatNumber(hub.cpuUsPerDelivery)} µs CPU a delivery`;
    facts.push(['hub', `${cpu}, ${formatNumber(hub.cores)} cores, ${memory}`]);
  }
  const threads = plan.workers === 1 ? '1 thread' : `${plan.workers} threads`;
  const loop = `event loop ${formatPercent(generator.loopUtilization)} busy`;
  facts.push(['generator', `${formatNumber(generator.cores)} cores, ${threads}, ${loop}`]);
  if (machine !== null) {
    // CPU time that the host takes away delays hub and generator, so it increases the latencies.
    const stolen = `${formatPercent(machine.stolen)} taken by its host`;
    const busy = `${formatPercent(machine.busy)} busy`;
    facts.push(['machine', `${machine.cores} cores, ${busy}, ${stolen}`]);
  }
  if (usesRedis !== null)
    facts.push(['redis', usesRedis ? 'in use' : 'not in use: this hub works alone']);
  return facts;
}

export function resultOf({ holds }: Check): string {
  return holds === null ? 'not measured' : holds ? 'pass' : 'FAIL';
}

function table(rows: readonly (readonly string[])[], isRight: (column: number) => boolean): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isRight(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('   ')
      .trimEnd(),
  );
  return lines.join('\n');
}

function latencyTable(outcome: Outcome, { latencies }: Measurement): string {
  const rows = latencyNames.flatMap((name) => {
    const summary = latencies[name];
    if (summary === null) return [];
    const { count, p50, p90, p99, max } = summary;
    return [[latencyTitles[name], formatCount(count), ...[p50, p90, p99, max].map(formatNumber)]];
  });
  const heading = [latencyHeading(outcome), 'count', 'p50', 'p90', 'p99', 'max'];
  return table([heading, ...rows], (column) => column > 0);
}

function checkTable(outcome: Outcome, checks: readonly Check[]): string {
  const rows = checks.map((check) => [check.name, check.limit, check.measured, resultOf(check)]);
  return table([[thresholdHeading(outcome), 'limit', 'measured', ''], ...rows], () => false);
}

function stageTable({ stages }: Outcome, judgement: Judgement): string {
  const rows = stages.map(({ stage, measurement }, index) => [
    `${formatNumber(stage.factor)}×`,
    formatNumber(measurement.operationsPerSecond),
    formatNumber(measurement.deliveriesPerSecond),
    ...[measurement.latencies.delivery, measurement.latencies.ack].map((summary) =>
      summary === null ? '–' : formatNumber(summary.p99),
    ),
    judgement.stages[index]?.verdict ?? '',
  ]);
  const heading = ['stage', 'calls/s', 'deliveries/s', 'delivery p99 ms', 'ack p99 ms', 'verdict'];
  return table([heading, ...rows], (column) => column < 5);
}

function comparisonTable({ rows, former, differences }: Comparison): string {
  const cells = rows.map((row) => [
    row.name,
    formatNumber(row.former),
    formatNumber(row.now),
    row.change,
  ]);
  const heading = [`compared with ${former}`, 'then', 'now', 'change'];
  const note = differences.map((difference) => `The plans differ: ${difference}`);
  return [table([heading, ...cells], (column) => column > 0), ...note].join('\n');
}

export function formatReport(
  outcome: Outcome,
  judgement: Judgement,
  comparison: Comparison | null = null,
): string {
  const { verdict, reasons, checks } = judgement;
  const head = [`${verdictTitles[verdict]}  ${titleOf(outcome)}`, ...reasons].join('\n  ');
  return [
    head,
    latencyTable(outcome, judgement.measurement),
    table(factsOf(outcome, judgement.measurement), () => false),
    ...(outcome.stages.length > 1 ? [stageTable(outcome, judgement)] : []),
    checkTable(outcome, checks),
    ...(comparison === null ? [] : [comparisonTable(comparison)]),
  ].join('\n\n');
}
