import type { Comparison } from '../verdict/comparison.ts';
import { formatCount, formatNumber, latencyTitles } from './format.ts';
import type { Check, Judgement, Verdict } from '../verdict/judge.ts';
import { latencyNames } from '../measure/latencies.ts';
import type { Measurement, Outcome } from '../measure/outcome.ts';
import type { LatencyLimits, Thresholds } from '../plan/thresholds.ts';
import { reportStyle } from './html-style.ts';
import { escapeMarkup } from './markup.ts';
import { drawDistributions, drawTimePlot } from './plots.ts';
import { factsOf, latencyHeading, resultOf, thresholdHeading, titleOf } from './text.ts';

function headlineOf(verdict: Verdict, checks: readonly Check[]): string {
  const failed = checks.filter(({ holds }) => holds === false).length;
  const headlines: Readonly<Record<Verdict, string>> = {
    pass: 'Pass: every threshold holds',
    fail: `Fail: ${failed} of ${checks.length} thresholds do not hold`,
    inconclusive: 'Inconclusive: this machine was too busy to judge the hub',
  };
  return headlines[verdict];
}

interface Cell {
  readonly text: string;
  readonly className?: string;
}

function row(cells: readonly (string | Cell)[], tag: 'td' | 'th' = 'td'): string {
  const drawn = cells.map((cell) => {
    const { text, className } = typeof cell === 'string' ? { text: cell } : cell;
    const attribute = className === undefined ? '' : ` class="${className}"`;
    return `<${tag}${attribute}>${escapeMarkup(text)}</${tag}>`;
  });
  return `<tr>${drawn.join('')}</tr>`;
}

function table(
  heading: readonly (string | Cell)[] | null,
  rows: readonly (readonly (string | Cell)[])[],
): string {
  const body = rows.map((cells) => row(cells)).join('\n');
  const head = heading === null ? '' : `<thead>${row(heading, 'th')}</thead>`;
  return `<div class="scroll"><table>${head}<tbody>\n${body}\n</tbody></table></div>`;
}

const number = (text: string): Cell => ({ text, className: 'number' });
const section = (title: string, ...parts: readonly string[]) =>
  `<section><h2>${escapeMarkup(title)}</h2>\n${parts.join('\n')}\n</section>`;

/** The report is one HTML file. It has no script and loads no other file. */
export function htmlReport(
  outcome: Outcome,
  judgement: Judgement,
  thresholds: Thresholds,
  comparison: Comparison | null = null,
): string {
  const { verdict, reasons, checks } = judgement;
  const { plan } = outcome;
  const { measurement } = judgement;
  const title = titleOf(outcome);
  const { delivery } = measurement.latencies;
  const numbers: [string, string][] = [
    ['delivery, p99', delivery === null ? '–' : `${formatNumber(delivery.p99)} ms`],
    ['calls a second', formatNumber(measurement.operationsPerSecond)],
    ['deliveries a second', formatNumber(measurement.deliveriesPerSecond)],
    ['lost or doubled', formatCount(measurement.lost + measurement.doubled)],
    [
      'errors',
      formatCount(Object.values(measurement.errors).reduce((sum, count) => sum + count, 0)),
    ],
  ];
  const cards = numbers.map(
    ([name, value]) => `<div class="card"><b>${escapeMarkup(value)}</b>${escapeMarkup(name)}</div>`,
  );
  const interrupted = outcome.isInterrupted
    ? '<p><strong>The run was interrupted.</strong> The measurements end there.</p>'
    : '';
  const parts = [
    `<header class="${verdict}"><h1>${escapeMarkup(headlineOf(verdict, checks))}</h1>`,
    `<p>${escapeMarkup(title)}</p>`,
    interrupted,
    reasons.length === 0
      ? ''
      : `<ul>${reasons.map((reason) => `<li>${escapeMarkup(reason)}</li>`).join('')}</ul>`,
    '</header>',
    `<div class="cards">${cards.join('')}</div>`,
    section('Thresholds', checkTable(outcome, checks)),
    ...(outcome.stages.length > 1 ? [section('Stages', stageTable(outcome, judgement))] : []),
    section('Latencies', latencyPlot(measurement, thresholds), latencyTable(outcome, measurement)),
    section('Over time', ...timePlots(outcome, thresholds)),
    section('Errors', errorTable(outcome)),
    ...(comparison === null ? [] : [section('Comparison', comparisonTable(comparison))]),
    section('The run', table(null, runFacts(outcome, measurement)), planDetails(outcome)),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeMarkup(`${verdict}: ${plan.scenario}, ${outcome.startedAt}`)}</title>
<style>${reportStyle}</style>
</head>
<body><main>
${parts.join('\n')}
</main></body>
</html>
`;
}

function checkTable(outcome: Outcome, checks: readonly Check[]): string {
  const rows = checks.map((check) => {
    const className = check.holds === null ? 'muted' : check.holds ? 'good' : 'bad';
    return [check.name, check.limit, check.measured, { text: resultOf(check), className }];
  });
  return table([thresholdHeading(outcome), 'limit', 'measured', 'result'], rows);
}

const limitOf = (limits: LatencyLimits | undefined) => limits?.p99Ms ?? null;

function latencyPlot({ latencies }: Measurement, { calls }: Thresholds): string {
  const rows = latencyNames.flatMap((name) => {
    const summary = latencies[name];
    if (summary === null) return [];
    return [{ ...summary, name: latencyTitles[name], limitMs: limitOf(calls[name]) }];
  });
  return rows.length === 0 ? '<p>Nothing was measured.</p>' : drawDistributions(rows);
}

function latencyTable(outcome: Outcome, { latencies }: Measurement): string {
  const rows = latencyNames.flatMap((name) => {
    const summary = latencies[name];
    if (summary === null) return [];
    const { count, p50, p90, p99, max } = summary;
    const values = [formatCount(count), ...[p50, p90, p99, max].map(formatNumber)];
    return [[latencyTitles[name], ...values.map(number)]];
  });
  const heading = ['count', 'p50', 'p90', 'p99', 'max'].map(number);
  return table([latencyHeading(outcome), ...heading], rows);
}

function timePlots({ series }: Outcome, { calls }: Thresholds): string[] {
  if (series.length < 2) return ['<p>The run was too short for plots over time.</p>'];
  const seconds = series.map(({ atMs }) => atMs / 1000);
  const intervalS = Math.min(
    ...seconds.slice(1).map((second, index) => second - (seconds[index] ?? 0)),
  );
  // After the end of the load, only late calls and answers come. Their low rate would look like an outage, so they are
  // left out.
  const meanSent = series.reduce((sum, { sent }) => sum + sent, 0) / series.length;
  const lastSent = series.findLastIndex(({ sent }) => sent > meanSent / 10);
  const perSecond = (name: 'acked' | 'sent' | 'deliveries' | 'errors' | 'reconnects') =>
    series.map((point, index) => (index > lastSent ? null : point[name] / intervalS));
  const latency = (name: 'delivery' | 'ack' | 'lateness', key: 'p50' | 'p99' | 'max') =>
    series.map(({ latencies }) => latencies[name]?.[key] ?? null);
  const limit = (p99Ms: number | null) =>
    p99Ms === null ? {} : { limit: { name: `limit of p99, ${p99Ms} ms`, value: p99Ms } };
  const plots = [
    drawTimePlot({
      title: 'Calls',
      unit: 'a second',
      seconds,
      lines: [
        { name: 'sent', tone: 'b', values: perSecond('sent') },
        { name: 'acknowledged', tone: 'a', values: perSecond('acked') },
      ],
    }),
    drawTimePlot({
      title: 'Deliveries',
      unit: 'a second',
      seconds,
      lines: [{ name: 'received events', tone: 'a', values: perSecond('deliveries') }],
    }),
    drawTimePlot({
      title: 'Message delivery',
      unit: 'ms',
      seconds,
      lines: [
        { name: 'maximum', tone: 'c', values: latency('delivery', 'max') },
        { name: 'p99', tone: 'b', values: latency('delivery', 'p99') },
        { name: 'p50', tone: 'a', values: latency('delivery', 'p50') },
      ],
      ...limit(limitOf(calls.delivery)),
    }),
    drawTimePlot({
      title: 'Message ack',
      unit: 'ms',
      seconds,
      lines: [
        { name: 'p99', tone: 'b', values: latency('ack', 'p99') },
        { name: 'p50', tone: 'a', values: latency('ack', 'p50') },
      ],
      ...limit(limitOf(calls.ack)),
    }),
    drawTimePlot({
      title: 'Generator’s lateness',
      unit: 'ms',
      seconds,
      lines: [{ name: 'p99', tone: 'b', values: latency('lateness', 'p99') }],
    }),
  ];
  const troubles = [...perSecond('errors'), ...perSecond('reconnects')];
  if (troubles.some((value) => value !== null && value > 0)) {
    const lines = [
      { name: 'errors', tone: 'b', values: perSecond('errors') },
      { name: 'reconnects', tone: 'a', values: perSecond('reconnects') },
    ] as const;
    plots.push(drawTimePlot({ title: 'Errors and reconnects', unit: 'a second', seconds, lines }));
  }
  return [`<div class="plots">${plots.join('\n')}</div>`];
}

function stageTable({ stages }: Outcome, judgement: Judgement): string {
  const p99 = (summary: { readonly p99: number } | null) =>
    number(summary === null ? '–' : formatNumber(summary.p99));
  const rows = stages.map(({ stage, measurement }, index) => {
    const verdict = judgement.stages[index]?.verdict ?? 'inconclusive';
    const className = verdict === 'pass' ? 'good' : verdict === 'fail' ? 'bad' : 'unsure';
    return [
      `${formatNumber(stage.factor)} times the plan`,
      number(formatNumber(measurement.operationsPerSecond)),
      number(formatNumber(measurement.deliveriesPerSecond)),
      p99(measurement.latencies.delivery),
      p99(measurement.latencies.ack),
      { text: verdict, className },
    ];
  });
  const numeric = ['calls/s', 'deliveries/s', 'delivery p99 ms', 'ack p99 ms'].map(number);
  return table(['load', ...numeric, 'verdict'], rows);
}

function errorTable({ total, failures }: Outcome): string {
  const rows = [
    ...Object.entries(total.errors).map(([code, count]) => [code, number(formatCount(count))]),
    ...Object.entries(failures).map(([why, count]) => [
      `agents left out: ${why}`,
      number(formatCount(count)),
    ]),
  ];
  return rows.length === 0 ? '<p>None.</p>' : table(['error', number('count')], rows);
}

function comparisonTable(comparison: Comparison): string {
  const { former, formerVerdict, differences, rows } = comparison;
  const classNames = { better: 'number good', worse: 'number bad', even: 'number muted' } as const;
  const cells = rows.map((each) => [
    each.name,
    number(formatNumber(each.former)),
    number(formatNumber(each.now)),
    { text: each.change, className: classNames[each.tendency] },
  ]);
  const notes = differences.map((difference) => `<li>${escapeMarkup(difference)}</li>`);
  const warning =
    notes.length === 0
      ? ''
      : `<p>The plans differ, which can explain the changes:</p><ul>${notes.join('')}</ul>`;
  const head = `<p>With ${escapeMarkup(former)}, verdict ${escapeMarkup(formerVerdict)}.</p>`;
  const heading = ['', number('then'), number('now'), number('change')];
  return `${head}${warning}${table(heading, cells)}`;
}

function runFacts(outcome: Outcome, measurement: Measurement): string[][] {
  const { plan, startedAt } = outcome;
  return [
    ['started', startedAt],
    ['hub', plan.urls.join(', ')],
    ...factsOf(outcome, measurement).map(([name, text]) => [name, text]),
  ];
}

function planDetails({ plan }: Outcome): string {
  const { tls, channels, ...rest } = plan;
  const shown = { ...rest, channels: channels.length, isInsecure: tls.isInsecure };
  const text = escapeMarkup(JSON.stringify(shown, null, 2));
  return `<details><summary>The plan</summary><pre>${text}</pre></details>`;
}
