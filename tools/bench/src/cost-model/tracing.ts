import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { tableLines } from '../statistics.ts';
import { measureMessages, type Effort, type LoadCosts } from './measure.ts';

const sdk = pathToFileURL(resolve(fileURLToPath(import.meta.url), '..', 'otel-for-costs.mjs')).href;

const variants = {
  off: {},
  'on, without an SDK': { HUB_TRACING: 'on' },
  'on, nothing sampled': { HUB_TRACING: 'on', NODE_OPTIONS: `--import ${sdk}`, SAMPLED_SHARE: '0' },
  'on, all sampled': { HUB_TRACING: 'on', NODE_OPTIONS: `--import ${sdk}`, SAMPLED_SHARE: '1' },
} as const;

export async function measureTracing(
  effort: Effort,
): Promise<readonly { readonly variant: string; readonly costs: readonly LoadCosts[] }[]> {
  const results = [];
  for (const [variant, env] of Object.entries(variants))
    results.push({ variant, costs: await measureMessages(effort, env) });
  return results;
}

export function formatTracing(results: Awaited<ReturnType<typeof measureTracing>>): string {
  const lines = results.flatMap(({ variant, costs }) =>
    costs.map((one) => [
      variant,
      one.load,
      String(one.fanOut),
      one.turns.toFixed(3),
      one.sending.toFixed(0),
      one.receiving.toFixed(0),
      one.redisCommands.toFixed(1),
    ]),
  );
  const head = [
    'tracing',
    'load',
    'subscribers',
    'turns',
    'sending µs',
    'receiving µs',
    'commands',
  ];
  return tableLines([head, ...lines], [2, 3, 4, 5, 6]).join('\n');
}
