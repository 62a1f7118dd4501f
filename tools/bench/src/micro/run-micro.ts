import { startRedis } from '@openclaw/test-support';
import { CommandLineError, numberOf, parseOptions } from '../command-line.ts';
import { writeSection } from '../compare/markdown-sections.ts';
import { formatWork, originOf, type Run } from '../compare/report.ts';
import { busyMachineNotes } from '../compare/works/run-fleet.ts';
import type { Work } from '../compare/works/work.ts';
import { cacheHits } from './cache.ts';
import { messageAppends } from './chat-store.ts';
import type { Comparison } from './contestant.ts';
import { eventDelivery } from './events.ts';
import { measure } from './measure.ts';
import { exactLimits, localLimits } from './ratelimit.ts';

const comparisons: readonly Comparison[] = [
  exactLimits,
  localLimits,
  cacheHits,
  eventDelivery,
  messageAppends,
];
const help = `npm run bench -- micro [--only <name>] [--rounds 3] [--seconds 3] [--write docs/performance.md]
Compares single operations of the packages with other ways to do them, in this process: ${comparisons.map(({ name }) => name).join('; ')}.`;

const columns: Work['columns'] = [
  { key: 'perSecond', title: 'a second', digits: 0 },
  { key: 'micros', title: 'process µs', digits: 2 },
  { key: 'redisMicros', title: 'Redis µs', digits: 2 },
  { key: 'sumMicros', title: 'µs each', digits: 2 },
  { key: 'p50Micros', title: 'p50 µs', digits: 0 },
  { key: 'p99Micros', title: 'p99 µs', digits: 0 },
];

async function compare(
  comparison: Comparison,
  rounds: number,
  durationMs: number,
  signal: AbortSignal,
): Promise<{ readonly runs: readonly Run[]; readonly promises: ReadonlySet<string> }> {
  const runs: Run[] = [];
  const promises = new Set<string>();
  const { name: work, concurrency } = comparison;
  for (let round = 1; round <= rounds; round += 1) {
    for (const source of comparison.contestants) {
      if (signal.aborted) break;
      await using redis = await startRedis();
      const created = await source(redis);
      if (typeof created === 'string') {
        console.error(`micro: ${work}: left out: ${created}`);
        continue;
      }
      await using contestant = created;
      const result = await measure(contestant, {
        durationMs,
        concurrency,
        redisPid: redis.pid,
        signal,
      });
      const values = { ...result, sumMicros: result.micros + result.redisMicros };
      promises.add(`${contestant.name}: ${contestant.promise}`);
      runs.push({
        work,
        system: contestant.name,
        round,
        measured: { values, notes: busyMachineNotes(result.otherCores) },
      });
      console.error(
        `${work}, ${contestant.name}, round ${round} of ${rounds}: ${Math.round(result.perSecond)}/s`,
      );
    }
  }
  return { runs, promises };
}

const options = {
  only: { type: 'string' },
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '3' },
  write: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

export async function runMicro(args: readonly string[], signal: AbortSignal): Promise<number> {
  const values = parseOptions(args, options);
  if (values.help) {
    console.log(help);
    return 0;
  }
  const rounds = numberOf('rounds', values.rounds, 1);
  const seconds = numberOf('seconds', values.seconds, 0.1, false);
  const wanted = comparisons.filter(({ name }) => name.startsWith(values.only ?? ''));
  if (wanted.length === 0) throw new CommandLineError(`--only: there is no ${values.only}`);
  for (const comparison of wanted) {
    const { runs, promises } = await compare(comparison, rounds, 1_000 * seconds, signal);
    if (signal.aborted) return 130;
    const [first] = runs;
    if (!first) continue;
    const { name, concurrency } = comparison;
    const atOnce = concurrency === 1 ? 'one at a time' : `${concurrency} at a time`;
    const description = [`${comparison.description}, ${atOnce}`, ...promises].join('. ');
    const section = formatWork({ name, description, columns, comparedBy: 'sumMicros' }, runs, {
      reference: first.system,
      origin: originOf(['micro', ...args]),
    });
    console.log(`\n${section}`);
    if (values.write !== undefined) writeSection(values.write, name, section);
  }
  return 0;
}
