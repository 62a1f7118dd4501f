import { parseArgs } from 'node:util';
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

function fail(sentence: string): never {
  console.error(`faults: ${sentence}`);
  process.exit(1);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        runs: { type: 'string', default: '20' },
        only: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    fail(`${(error as Error).message}\n${help}`);
  }
}

const values = readOptions();
if (values.help) {
  console.log(help);
  process.exit(0);
}
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) fail('--runs must be a whole number above 0');
const { only } = values;
if (only !== undefined && !(only in suites)) fail(`there is no suite ${only}\n${help}`);

// The servers are killed in the exit handler, which a default SIGINT would skip.
process.once('SIGINT', () => process.exit(130));

const times = new Map<MeasureKey, number[]>();
const note: Note = (key, ms) => {
  times.set(key, [...(times.get(key) ?? []), ms]);
  console.error(`${measures[key].name}: ${Math.round(ms)} ms`);
};
try {
  for (const [name, measure] of Object.entries(suites)) {
    if (only === undefined || only === name) await measure(runs, note);
  }
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
const rows = rowsOf(times);
console.log(formatRows(rows));
process.exit(rows.every(({ holds }) => holds) ? 0 : 1);
