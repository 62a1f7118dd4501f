import { cpus, release, totalmem } from 'node:os';
import { spreadOf } from '../statistics.ts';
import type { Column, Measured, Work } from './works/work.ts';

export interface Run {
  readonly work: string;
  readonly system: string;
  readonly round: number;
  readonly measured: Measured;
}

export function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores of ${first?.model.trim()}, ${memory} GiB, Linux ${release()}, Node ${process.version}`;
}

export function originOf(args: readonly string[]): string {
  const day = new Date().toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  });
  const quoted = args.map((text) => (/[\s"]/.test(text) ? JSON.stringify(text) : text));
  return `\`npm run bench -- ${quoted.join(' ')}\`, ${day}, ${machine()}.`;
}

/**
 * The table has medians, ratios to a reference system, and, with several rounds, ranges. `origin` says how and when the
 * work was measured.
 */
export function formatWork(
  work: Omit<Work, 'run'>,
  runs: readonly Run[],
  {
    reference,
    origin,
    rowTitle = 'system',
  }: { readonly reference: string; readonly origin: string; readonly rowTitle?: string },
): string {
  const own = runs.filter((run) => run.work === work.name);
  const systems = [...new Set(own.map((run) => run.system))];
  const valuesOf = (system: string, key: string) =>
    own
      .filter((run) => run.system === system)
      .map((run) => run.measured.values[key])
      .filter((value) => value !== null && value !== undefined);
  const median = (system: string, key: string) => medianOf(valuesOf(system, key));
  const rounds = Math.max(...own.map(({ round }) => round));
  const compared = work.columns.find(({ key }) => key === work.comparedBy);
  const comparison = (system: string, { key, digits }: Column) => {
    const spread = spreadOf(valuesOf(system, key));
    const range =
      spread && `${formatNumber(spread.min, digits)}–${formatNumber(spread.max, digits)}`;
    const [own, base] = [median(system, key), median(reference, key)];
    const ratio = own && base && formatNumber(own / base, 2);
    return (rounds === 1 ? [ratio] : [range, ratio]).map((cell) => cell || '–');
  };
  const head = [
    rowTitle,
    ...work.columns.map(({ title }) => title),
    ...(compared && rounds > 1 ? [`${compared.title}, range`] : []),
    ...(compared ? [`ratio to ${reference}`] : []),
  ];
  const rows = systems.map((system) => [
    system,
    ...work.columns.map(({ key, digits }) => formatNumber(median(system, key), digits)),
    ...(compared ? comparison(system, compared) : []),
  ]);
  const table = markdownTable(head, rows);
  const notes = own.flatMap(({ system, round, measured }) =>
    measured.notes.map((note) => `- ${system}${rounds === 1 ? '' : `, round ${round}`}: ${note}`),
  );
  const parts = [`### ${work.name}`, sentence(work.description), table];
  if (notes.length > 0) parts.push(notes.join('\n'));
  parts.push(`${rounds === 1 ? 'One round' : `Medians of ${rounds} rounds`}. ${origin}`);
  return parts.join('\n\n');
}

/** The format is Prettier's, with the first column aligned to the left and the others to the right. */
function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, at) =>
    Math.max(3, ...[head, ...rows].map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, at) =>
    at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [head, rule, ...rows].map(line).join('\n');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const lower = sorted[Math.floor(middle)];
  const upper = sorted[Math.ceil(middle)];
  return lower === undefined || upper === undefined ? null : (lower + upper) / 2;
}

export function formatNumber(value: number | null, digits = 0): string {
  if (value === null || Number.isNaN(value)) return '–';
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

export function formatRun(work: Pick<Work, 'columns'>, { values }: Measured): string {
  return work.columns
    .map(({ key, title, digits }) => `${title} ${formatNumber(values[key] ?? null, digits)}`)
    .join(', ');
}
