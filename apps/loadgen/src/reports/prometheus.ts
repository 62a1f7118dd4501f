import type { Judgement } from '../verdict/judge.ts';
import { latencyNames } from '../measure/latencies.ts';
import type { Outcome } from '../measure/outcome.ts';

type Labels = Readonly<Record<string, string>>;

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type?: 'gauge' | 'summary';
  readonly samples: readonly {
    readonly suffix?: '_sum' | '_count';
    readonly labels?: Labels;
    readonly value: number;
  }[];
}

function labelText(labels: Labels): string {
  const escape = (text: string) =>
    text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escape(value)}"`)
    .join(',');
}

/** Returns the text for the node exporter's textfile collector or a push gateway. */
export function prometheusReport(outcome: Outcome, { checks, verdict }: Judgement): string {
  const { total, plan, startedAt } = outcome;
  const quantiles = [
    ['0.5', 'p50'],
    ['0.9', 'p90'],
    ['0.99', 'p99'],
    ['1', 'max'],
  ] as const;
  const latencies = latencyNames.flatMap((kind) => {
    const summary = total.latencies[kind];
    return summary === null ? [] : [{ kind, summary }];
  });
  const gauge = (name: string, help: string, value: number): Metric => ({
    name,
    help,
    samples: [{ value }],
  });
  const metrics: Metric[] = [
    {
      name: 'verdict',
      help: '1 for the verdict of the run, 0 for the others.',
      samples: ['pass', 'fail', 'inconclusive'].map((name) => ({
        labels: { verdict: name },
        value: Number(name === verdict),
      })),
    },
    {
      name: 'threshold_holds',
      help: '1 if the threshold holds, else 0.',
      samples: checks
        .filter(({ holds }) => holds !== null)
        .map(({ id, holds }) => ({ labels: { threshold: id }, value: Number(holds) })),
    },
    {
      name: 'latency_seconds',
      help: 'Latency from the due time of an operation.',
      type: 'summary',
      samples: latencies.flatMap(({ kind, summary }) => [
        ...quantiles.map(([quantile, key]) => ({
          labels: { kind, quantile },
          value: summary[key] / 1000,
        })),
        {
          suffix: '_sum' as const,
          labels: { kind },
          value: (summary.mean * summary.count) / 1000,
        },
        { suffix: '_count' as const, labels: { kind }, value: summary.count },
      ]),
    },
    gauge('calls_per_second', 'Acknowledged calls a second.', total.operationsPerSecond),
    gauge('deliveries_per_second', 'Received events a second.', total.deliveriesPerSecond),
    gauge('lost', 'Events that did not arrive.', total.lost),
    gauge('doubled', 'Events that arrived twice.', total.doubled),
    gauge('reconnects', 'Connections that were lost.', total.reconnects),
    gauge('connected', 'Connections at the end.', total.connected),
    {
      name: 'errors',
      help: 'Failed calls.',
      samples: Object.entries(total.errors).map(([code, value]) => ({ labels: { code }, value })),
    },
    gauge('start_seconds', 'Start of the run, Unix time.', Date.parse(startedAt) / 1000),
  ];
  if (total.hub !== null) {
    metrics.push(
      gauge('hub_memory_bytes', 'The highest memory of the hub.', total.hub.rssBytes),
      gauge('hub_cpu_cores', 'Mean CPU usage of the hub.', total.hub.cores),
    );
  }
  const lines = metrics
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, help, type = 'gauge', samples }) => [
      `# HELP openclaw_loadgen_${name} ${help}`,
      `# TYPE openclaw_loadgen_${name} ${type}`,
      ...samples.map(({ suffix = '', labels, value }) => {
        const all = labelText({ scenario: plan.scenario, ...labels });
        return `openclaw_loadgen_${name}${suffix}{${all}} ${value}`;
      }),
    ]);
  return `${lines.join('\n')}\n`;
}
