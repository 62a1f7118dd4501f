import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import {
  measureForeignCommits,
  measureMessages,
  measureSockets,
  measureStorage,
  type Effort,
} from './measure.ts';
import { fleets, planFor } from './plan.ts';
import {
  formatPlans,
  formatRows,
  foreignRows,
  holds,
  loadRows,
  socketRows,
  storageRows,
} from './report.ts';
import { formatTracing, measureTracing } from './tracing.ts';

const parts = ['storage', 'messages', 'sockets', 'plan', 'tracing'] as const;
const help = `npm run cost-model -- [--only ${parts.join('|')}] [--messages 2000] [--sockets 1000] [--idle 10]
Measures small runs on real hubs, Redis, SQLite and PostgreSQL, and prints them beside the cost model; then what the
model says about larger fleets. --only tracing compares hubs with and without tracing. Exits with 1 when the model is off.`;

function fail(sentence: string): never {
  console.error(`cost-model: ${sentence}`);
  process.exit(2);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string' },
        messages: { type: 'string', default: '2000' },
        sockets: { type: 'string', default: '1000' },
        idle: { type: 'string', default: '10' },
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
const numberOf = (name: 'messages' | 'sockets' | 'idle') => {
  const value = Number(values[name]);
  if (!(value > 0)) fail(`--${name} must be a number above 0`);
  return value;
};
const effort: Effort = {
  messages: Math.ceil(numberOf('messages')),
  sockets: Math.ceil(numberOf('sockets')),
  idleMs: 1_000 * numberOf('idle'),
};
const { only } = values;
if (only !== undefined && !parts.some((part) => part === only))
  fail(`there is no part ${only}\n${help}`);
const isWanted = (part: (typeof parts)[number]) =>
  only === undefined ? part !== 'tracing' : only === part;

// The servers are killed in the exit handler, which a default SIGINT would skip.
process.once('SIGINT', () => process.exit(130));

console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}`);
const rows = [];
if (isWanted('storage')) rows.push(...storageRows(await measureStorage(effort)));
if (isWanted('messages')) {
  rows.push(...loadRows(await measureMessages(effort)));
  rows.push(...foreignRows(await measureForeignCommits(effort)));
}
if (isWanted('sockets')) rows.push(...socketRows(await measureSockets(effort), effort.sockets));
if (rows.length > 0) console.log(`\n${formatRows(rows)}`);
if (isWanted('plan')) console.log(`\n${formatPlans(fleets.map(planFor))}`);
if (isWanted('tracing')) console.log(`\n${formatTracing(await measureTracing(effort))}`);
process.exit(rows.every(holds) ? 0 : 1);
