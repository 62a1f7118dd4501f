import { parseArgs } from 'node:util';
import { startPostgres, startRedis } from '@openclaw/test-support';
import { fuzzFrames } from './fuzz-frames.ts';
import { fuzzMethods } from './fuzz-methods.ts';
import { fuzzRest } from './fuzz-rest.ts';
import { fuzzTokens } from './fuzz-tokens.ts';
import { startTarget, type Target } from './target.ts';

const fuzzers: Readonly<
  Record<string, (target: Target, seed: number, runs: number) => Promise<void>>
> = { frames: fuzzFrames, methods: fuzzMethods, rest: fuzzRest, tokens: fuzzTokens };

/** The hub's heap may grow by at most this after the first iteration. */
const maxGrowthBytes = 30e6;

const help = `npm run fuzz -- [--minutes 1] [--seed 1] [--runs 40] [--only ${Object.keys(fuzzers).join('|')}] [--database sqlite|postgres]
Sends random frames, calls, requests and tokens to a hub, repeatedly until the time is over, each time with the next seed.
Exits with 1 when something was found.`;

function fail(sentence: string): never {
  console.error(`fuzz: ${sentence}\n${help}`);
  process.exit(2);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        minutes: { type: 'string', default: '1' },
        seed: { type: 'string', default: '1' },
        runs: { type: 'string', default: '40' },
        only: { type: 'string' },
        database: { type: 'string', default: 'sqlite' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    fail((error as Error).message);
  }
}

const values = readOptions();
if (values.help) {
  console.log(help);
  process.exit(0);
}
for (const name of ['minutes', 'seed', 'runs'] as const)
  if (!(Number(values[name]) >= 0)) fail(`--${name} must be a number`);
if (values.only !== undefined && !(values.only in fuzzers))
  fail(`there is no fuzzer ${values.only}`);
if (!['sqlite', 'postgres'].includes(values.database))
  fail('--database must be sqlite or postgres');

async function main(): Promise<void> {
  const redis = await startRedis();
  const postgres = values.database === 'postgres' ? await startPostgres() : null;
  const target = await startTarget({
    REDIS_URL: redis.url,
    ...(postgres && { HUB_DB_URL: postgres.url }),
  });
  const endMs = Date.now() + Number(values.minutes) * 60_000;
  let seed = Number(values.seed);
  let firstHeapBytes: number | null = null;
  try {
    do {
      for (const [name, fuzz] of Object.entries(fuzzers)) {
        if (values.only !== undefined && values.only !== name) continue;
        const startMs = performance.now();
        await fuzz(target, seed, Number(values.runs));
        console.log(`${name} seed ${seed}: ${Math.round(performance.now() - startMs)} ms`);
      }
      const heapBytes = await target.retainedBytes();
      firstHeapBytes ??= heapBytes;
      console.log(`heap of the hub: ${(heapBytes / 1e6).toFixed(1)} MB`);
      if (heapBytes > firstHeapBytes + maxGrowthBytes)
        throw new Error('the heap of the hub keeps growing');
      seed += 1;
    } while (Date.now() < endMs);
    console.log('fuzz: nothing found');
  } catch (error) {
    if (error instanceof Error) console.error(`${error.message.slice(0, 3_000)}\n`, error.cause);
    console.error(`fuzz: failed with --seed ${seed}`);
    process.exitCode = 1;
  } finally {
    await target.stop();
    await postgres?.stop();
    await redis.stop();
  }
}

await main();
