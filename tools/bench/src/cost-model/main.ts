import { cpus } from 'node:os';
import { choiceOf, numberOf, parseOptions, runCommand } from '../command-line.ts';
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
model says about larger fleets. --only tracing compares hubs with and without tracing. Exits with 1 when the model does not hold.`;

function readOptions(args: readonly string[]) {
  const { only, messages, sockets, idle } = parseOptions(args, {
    only: { type: 'string' },
    messages: { type: 'string', default: '2000' },
    sockets: { type: 'string', default: '1000' },
    idle: { type: 'string', default: '10' },
  });
  const effort: Effort = {
    messages: numberOf('messages', messages, 1),
    sockets: numberOf('sockets', sockets, 1),
    idleMs: 1_000 * numberOf('idle', idle, 1, false),
  };
  const wanted = new Set<(typeof parts)[number]>(
    only === undefined
      ? parts.filter((part) => part !== 'tracing')
      : [choiceOf('only', only, parts)],
  );
  return { effort, wanted };
}

async function main({ effort, wanted }: ReturnType<typeof readOptions>): Promise<number> {
  console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}`);
  const rows = [];
  if (wanted.has('storage')) rows.push(...storageRows(await measureStorage(effort)));
  if (wanted.has('messages')) {
    rows.push(...loadRows(await measureMessages(effort)));
    rows.push(...foreignRows(await measureForeignCommits(effort)));
  }
  if (wanted.has('sockets')) rows.push(...socketRows(await measureSockets(effort), effort.sockets));
  if (rows.length > 0) console.log(`\n${formatRows(rows)}`);
  if (wanted.has('plan')) console.log(`\n${formatPlans(fleets.map(planFor))}`);
  if (wanted.has('tracing')) console.log(`\n${formatTracing(await measureTracing(effort))}`);
  return rows.every(holds) ? 0 : 1;
}

await runCommand('cost-model', help, readOptions, main);
