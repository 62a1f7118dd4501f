import { choiceOf, numberOf, parseOptions, runCommand } from '../command-line.ts';
import { measureDatabase } from './database-faults.ts';
import { formatRows, measures, rowsOf, type MeasureKey, type Note } from './measure.ts';
import { measureOneServer, measureSentinel } from './redis-faults.ts';

const suites = {
  'one-server': measureOneServer,
  sentinel: measureSentinel,
  database: measureDatabase,
} as const;

const help = `npm run faults -- [--runs 20] [--only ${Object.keys(suites).join('|')}]
Repeats each fault on real servers under traffic between two hubs, and prints the recovery times.
Exits with 1 when a median is past its bound, or when a message was lost, doubled or out of order.`;

function readOptions(args: readonly string[]) {
  const { runs, only } = parseOptions(args, {
    runs: { type: 'string', default: '20' },
    only: { type: 'string' },
  });
  const names = Object.keys(suites) as (keyof typeof suites)[];
  return {
    runs: numberOf('runs', runs, 1),
    wanted: only === undefined ? names : [choiceOf('only', only, names)],
  };
}

async function main({ runs, wanted }: ReturnType<typeof readOptions>): Promise<number> {
  const times = new Map<MeasureKey, number[]>();
  const note: Note = (key, ms) => {
    times.set(key, [...(times.get(key) ?? []), ms]);
    console.error(`${measures[key].name}: ${Math.round(ms)} ms`);
  };
  for (const name of wanted) await suites[name](runs, note);
  const rows = rowsOf(times);
  console.log(formatRows(rows));
  return rows.every(({ holds }) => holds) ? 0 : 1;
}

await runCommand('faults', help, readOptions, main);
