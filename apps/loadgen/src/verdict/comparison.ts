import { z } from 'zod';
import { formatCount, formatNumber, latencyTitles } from '../reports/format.ts';
import { latencyNames } from '../measure/latencies.ts';
import type { Outcome } from '../measure/outcome.ts';
import { parseSettings } from '../plan/settings-file.ts';

const summarySchema = z
  .object({ count: z.number(), p50: z.number(), p99: z.number() })
  .nullable()
  .optional();
/** Other parts of the JSON report may change without a new format number. */
const formerSchema = z.object({
  format: z.literal(1),
  startedAt: z.string(),
  verdict: z.string(),
  plan: z.object({
    scenario: z.string(),
    agents: z.number(),
    channels: z.array(z.string()),
    rates: z.record(z.string(), z.number()),
    urls: z.array(z.string()),
  }),
  total: z.object({
    operationsPerSecond: z.number(),
    deliveriesPerSecond: z.number(),
    latencies: z.record(z.string(), summarySchema),
    errors: z.record(z.string(), z.number()),
    hub: z.object({ cpuUsPerDelivery: z.number(), rssBytes: z.number() }).nullable(),
  }),
});

export type FormerRun = z.output<typeof formerSchema>;

export interface ComparisonRow {
  readonly name: string;
  readonly former: number;
  readonly now: number;
  readonly change: string;
  /** `even` means a change of at most a tenth. */
  readonly tendency: 'better' | 'worse' | 'even';
}

export interface Comparison {
  readonly former: string;
  readonly formerVerdict: string;
  readonly rows: readonly ComparisonRow[];
  /** Differences of the plans can explain differences of the measurements. */
  readonly differences: readonly string[];
}

const noticeable = 0.1;

export function readFormerRun(path: string): FormerRun {
  return parseSettings(path, formerSchema);
}

function row(name: string, former: number, now: number, isMoreBetter: boolean): ComparisonRow {
  const share = former === 0 ? (now === 0 ? 0 : Infinity) : now / former - 1;
  const sign = share > 0 ? '+' : '';
  const change = share === Infinity ? 'new' : `${sign}${formatNumber(share * 100)}%`;
  const isEven = Math.abs(share) <= noticeable;
  const tendency = isEven ? 'even' : share > 0 === isMoreBetter ? 'better' : 'worse';
  return { name, former, now, change, tendency };
}

export function compareRuns(outcome: Outcome, former: FormerRun): Comparison {
  const { total, plan } = outcome;
  const rows: ComparisonRow[] = [];
  for (const name of latencyNames) {
    const then = former.total.latencies[name];
    const now = total.latencies[name];
    if (!then || now === null) continue;
    rows.push(row(`${latencyTitles[name]} p50 ms`, then.p50, now.p50, false));
    rows.push(row(`${latencyTitles[name]} p99 ms`, then.p99, now.p99, false));
  }
  rows.push(
    row('calls/s', former.total.operationsPerSecond, total.operationsPerSecond, true),
    row('deliveries/s', former.total.deliveriesPerSecond, total.deliveriesPerSecond, true),
    row('errors', sumOf(former.total.errors), sumOf(total.errors), false),
  );
  const then = former.total.hub;
  if (then !== null && total.hub !== null) {
    const mb = (bytes: number) => bytes / 1024 / 1024;
    rows.push(
      row('hub CPU µs a delivery', then.cpuUsPerDelivery, total.hub.cpuUsPerDelivery, false),
      row('hub memory MB', mb(then.rssBytes), mb(total.hub.rssBytes), false),
    );
  }
  return {
    former: `the run of ${former.startedAt}`,
    formerVerdict: former.verdict,
    rows,
    differences: differencesOf(plan, former.plan),
  };
}

const sumOf = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

function differencesOf(now: Outcome['plan'], then: FormerRun['plan']): string[] {
  const differences: string[] = [];
  const compare = (name: string, before: string | number, after: string | number) => {
    if (before !== after)
      differences.push(`${name} was ${textOf(before)} and is ${textOf(after)}.`);
  };
  const textOf = (value: string | number) =>
    typeof value === 'string' ? value : formatCount(value);
  compare('scenario', then.scenario, now.scenario);
  compare('hub', then.urls.join(' '), now.urls.join(' '));
  compare('agents', then.agents, now.agents);
  compare('channels', then.channels.length, now.channels.length);
  for (const [kind, rate] of Object.entries(now.rates))
    compare(`rate of ${kind}`, then.rates[kind] ?? 0, rate);
  return differences;
}
