import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from '@openclaw/test-support';
import { latencyNames } from '../measure/latencies.ts';

const main = resolve(fileURLToPath(import.meta.url), '../../main.ts');

export function startLoadgen(
  url: string,
  args: readonly string[],
  env: Record<string, string> = {},
) {
  const flags = ['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'];
  return startProcess(process.execPath, [...flags, main, '--url', url, ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
}

export async function runLoadgen(
  url: string,
  args: readonly string[],
  env?: Record<string, string>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const started = startLoadgen(url, args, env);
  const code = await started.exited;
  return { code, output: started.output() };
}

/** Thresholds are lenient, because other tests keep the machine busy. Writes the thresholds file into the folder. */
export function lenientArguments(folder: string): readonly string[] {
  const path = join(folder, 'lenient.json');
  const calls = Object.fromEntries(latencyNames.map((name) => [name, { p99Ms: 20_000 }]));
  writeFileSync(path, JSON.stringify({ calls, minThroughput: 1 }));
  return ['--thresholds', path, '--no-html'];
}
