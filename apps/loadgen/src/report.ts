import type { LatencyName } from './latencies.ts';
import type { Outcome } from './run.ts';
import { formatNumber, type Verdict } from './targets.ts';

const latencyTitles: readonly (readonly [LatencyName, string])[] = [
  ['delivery', 'message delivery'],
  ['ack', 'message ack'],
  ['typing', 'typing'],
  ['presence', 'presence'],
  ['reaction', 'reaction'],
  ['lateness', 'generator’s lateness'],
];

/** Aligns the columns of rows. A column after the first is aligned to the right if its heading is. */
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

function latencyTable({ latencies }: Outcome): string {
  const rows = latencyTitles.map(([name, title]) => {
    const summary = latencies[name];
    if (summary === null) return [title, '0', '–', '–', '–', '–'];
    const { count, p50, p90, p99, max } = summary;
    return [title, count.toLocaleString('en-US'), ...[p50, p90, p99, max].map(formatNumber)];
  });
  const heading = ['ms from the due time', 'count', 'p50', 'p90', 'p99', 'max'];
  return table([heading, ...rows], (column) => column > 0);
}

function targetTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ name, limit, measured, holds }) => {
    const verdict = holds === null ? '–' : holds ? 'pass' : 'FAIL';
    return [name, limit, measured, verdict];
  });
  return table([['target', 'limit', 'measured', ''], ...rows], () => false);
}

function listing(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count.toLocaleString('en-US')}`)
    .join(', ');
}

// CPU time that the host takes away delays hub and generator, and shows up as latency.
function machineFact({ machine }: Outcome): string[][] {
  if (machine === null) return [];
  const { cores, busy, stolen } = machine;
  const percent = (share: number) => `${formatNumber(share * 100)}%`;
  return [
    ['machine', `${cores} cores, ${percent(busy)} busy, ${percent(stolen)} taken by its host`],
  ];
}

/** The outcome as text. */
export function formatReport(outcome: Outcome, verdicts: readonly Verdict[]): string {
  const { plan, hub, errors } = outcome;
  const seconds = formatNumber(outcome.measuredMs / 1000);
  const threads = plan.workers === 1 ? '1 thread' : `${plan.workers} threads`;
  const facts = [
    [
      'throughput',
      `${formatNumber(outcome.operationsPerSecond)} ops/s in, ${formatNumber(outcome.deliveriesPerSecond)} deliveries/s out`,
    ],
    [
      'order',
      `${outcome.lost} lost, ${outcome.doubled} doubled of ${outcome.deliveries.toLocaleString('en-US')} deliveries`,
    ],
    ['errors', listing(errors) || 'none'],
    ...(errors['rate_limited'] === undefined
      ? []
      : [
          ['', 'the hub’s HUB_LIMIT_MESSAGE, _REACTION and _TYPING are 600/60 an agent by default'],
        ]),
    ...Object.entries(outcome.failures).map(([why, count]) => [
      'left out',
      `${count} agents: ${why}`,
    ]),
    ...(outcome.reconnects === 0 ? [] : [['reconnects', String(outcome.reconnects)]]),
    ...(hub === null
      ? []
      : [
          [
            'hub',
            `${formatNumber(hub.cpuUsPerDelivery)} µs CPU a delivery, ${formatNumber(hub.cores)} cores, ${formatNumber(hub.rssBytes / 1024 / 1024)} MB`,
          ],
        ]),
    ['generator', `${formatNumber(outcome.generatorCores)} cores, ${threads}`],
    ...machineFact(outcome),
    ...(outcome.usesRedis === null
      ? []
      : [['redis', outcome.usesRedis ? 'in use' : 'not in use: this hub works alone']]),
  ];
  const title = `${plan.scenario}: ${plan.agents} agents + 1 watcher, ${plan.channels.length} channel${plan.channels.length === 1 ? '' : 's'}, ${plan.rate.toLocaleString('en-US')} messages/s for ${seconds} s${outcome.isInterrupted ? ' (interrupted)' : ''}`;
  return [title, latencyTable(outcome), table(facts, () => false), targetTable(verdicts)].join(
    '\n\n',
  );
}
