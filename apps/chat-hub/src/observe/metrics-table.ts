import type { Metrics } from './metrics.ts';

interface RegisteredMetric {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  get(): Promise<{ readonly type: string; readonly values: readonly Sample[] }>;
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
}

/** If a label has more values, the table does not list them. */
const maxShownValues = 8;

export async function metricsTable({ registry }: Pick<Metrics, 'registry'>): Promise<string> {
  const all = registry.getMetricsAsArray() as unknown as RegisteredMetric[];
  const own = all.filter(({ name }) => name.startsWith('hub_'));
  const rows = await Promise.all(
    own
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(async (metric) => {
        const { name, help, labelNames } = metric;
        const { type, values } = await metric.get();
        const labels = labelNames.map((label) => labelCell(label, values));
        return [`\`${name}\``, type, labels.join('; '), help];
      }),
  );
  return [['metric', 'type', 'labels', 'meaning'], ['-', '-', '-', '-'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function labelCell(label: string, samples: readonly Sample[]): string {
  const values = new Set(samples.map(({ labels }) => String(labels[label])));
  return values.size > maxShownValues || label === 'version'
    ? `\`${label}\``
    : `\`${label}\`: ${[...values].join(', ')}`;
}
