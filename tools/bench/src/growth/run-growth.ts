import { CommandLineError, numberOf, parseOptions } from '../command-line.ts';
import { writeSection } from '../compare/markdown-sections.ts';
import { formatNumber, formatRun, formatWork, originOf, type Run } from '../compare/report.ts';
import { channelGrowth } from './channels.ts';
import { fittedExponent } from './exponent.ts';
import { historyGrowth } from './history.ts';
import { hubGrowth } from './hubs.ts';
import { fanOutGrowth, memberGrowth } from './members.ts';
import { postgresSearchGrowth, sqliteSearchGrowth } from './search.ts';
import type { Series } from './series.ts';
import { presenceGrowth, socketGrowth } from './sockets.ts';

const allSeries: readonly Series[] = [
  channelGrowth,
  memberGrowth,
  fanOutGrowth,
  historyGrowth,
  socketGrowth,
  presenceGrowth,
  hubGrowth,
  sqliteSearchGrowth,
  postgresSearchGrowth,
];
const nameOf = ({ name }: Series) => name.replace('growth: ', '');
const help = `npm run bench -- growth [--only ${allSeries.map(nameOf).join('|')}] [--sizes 10,100] [--seconds 5] [--write docs/performance.md]
The hub's costs as one thing grows, and the exponent of each: 0 is flat, 1 is linear.`;

const options = {
  only: { type: 'string' },
  sizes: { type: 'string' },
  seconds: { type: 'string', default: '5' },
  write: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

export async function runGrowth(args: readonly string[], signal: AbortSignal): Promise<number> {
  const values = parseOptions(args, options);
  if (values.help) {
    console.log(help);
    return 0;
  }
  const durationMs = 1_000 * numberOf('seconds', values.seconds, 0.1, false);
  const sizes = values.sizes?.split(',').map((size) => numberOf('sizes', size, 1));
  const wanted = allSeries.filter(
    (one) => values.only === undefined || nameOf(one) === values.only,
  );
  if (wanted.length === 0) throw new CommandLineError(`--only: there is no ${values.only}`);
  const settleMs = Math.min(5_000, durationMs);
  const effort = { warmUpMs: settleMs / 2, durationMs, settleMs, contentBytes: 200, signal };

  let failures = 0;
  for (const series of wanted) {
    const runs: Run[] = [];
    for (const size of sizes ?? series.sizes) {
      const label = `${size.toLocaleString('en')} ${series.unit}`;
      try {
        const measured = await series.run(size, effort);
        runs.push({ work: series.name, system: size.toLocaleString('en'), round: 1, measured });
        console.error(`${series.name}, ${label}: ${formatRun(series, measured)}`);
        for (const note of measured.notes) console.error(`  ${note}`);
      } catch (error) {
        if (signal.aborted) return 130;
        failures += 1;
        console.error(`${series.name}, ${label}: failed: ${String(error)}`);
      }
      if (signal.aborted) return 130;
    }
    const [first] = runs;
    if (!first) continue;
    const table = formatWork({ ...series, comparedBy: null }, runs, {
      reference: first.system,
      origin: originOf(['growth', ...args]),
      rowTitle: series.unit,
    });
    const section = `${table}\n\n${exponents(series, runs)}`;
    console.log(`\n${section}`);
    if (values.write !== undefined) writeSection(values.write, series.name, section);
  }
  return failures > 0 ? 1 : 0;
}

function exponents({ columns, fitted, unit }: Series, runs: readonly Run[]): string {
  const sizeOf = ({ system }: Run) => Number(system.replaceAll(',', ''));
  const parts = fitted.map((key) => {
    const points = runs.map((run) => [sizeOf(run), run.measured.values[key] ?? 0] as const);
    const title = columns.find((column) => column.key === key)?.title ?? key;
    return `${title} ${formatNumber(fittedExponent(points), 2)}`;
  });
  return `Exponents over ${unit} (0 is flat, 1 is linear): ${parts.join(', ')}.`;
}
