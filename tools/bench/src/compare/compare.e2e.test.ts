import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, jest } from '@jest/globals';
import { temporaryFolder, waitFor } from '@openclaw/test-support';
import type { Run } from './report.ts';

jest.setTimeout(120_000);

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

function startBench(temporary: string, ...args: readonly string[]) {
  const flags = ['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [...flags, main, ...args], {
    env: { ...process.env, TMPDIR: temporary, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return { child, exited, stdout: () => stdout, stderr: () => stderr };
}

describe('the bench', () => {
  it('measures hub and floor side by side, and finds what the floor loses when sockets are cut', async () => {
    await using folder = await temporaryFolder('compare');
    const json = join(folder.path, 'runs.json');
    const markdown = join(folder.path, 'performance.md');
    const works = ['--work', 'hall,drops teams', '--rate', '200', '--against', 'hub,floor'];
    const bench = startBench(
      folder.path,
      '--quick',
      ...works,
      ...['--json', json, '--write', markdown],
    );
    expect([await bench.exited, bench.stderr()]).toEqual([0, expect.any(String)]);

    const { runs } = JSON.parse(readFileSync(json, 'utf8')) as { readonly runs: readonly Run[] };
    const valuesOf = (work: string, system: string) =>
      runs.find((run) => run.work === work && run.system === system)?.measured.values ?? {};
    for (const system of ['hub', 'floor']) {
      const { lost, sumMicros, p50Ms, sent } = valuesOf('hall 200/s', system);
      expect({ lost, sent }).toEqual({ lost: 0, sent: 260 });
      expect(sumMicros).toBeGreaterThan(0);
      expect(p50Ms).toBeGreaterThan(0);
    }
    expect(valuesOf('drops teams', 'hub')).toMatchObject({ lost: 0, doubled: 0 });
    // Negative control: the system `floor` has no recovery.
    expect(valuesOf('drops teams', 'floor')['lost']).toBeGreaterThan(0);
    for (const text of [bench.stdout(), readFileSync(markdown, 'utf8')])
      expect(text).toMatch(/^\| hub +\|/m);
  });

  it('fits how costs grow, and compares single operations', async () => {
    await using folder = await temporaryFolder('compare');
    const growth = startBench(
      folder.path,
      ...['growth', '--only', 'members', '--sizes', '10,20', '--seconds', '0.3'],
    );
    expect([await growth.exited, growth.stderr()]).toEqual([0, expect.any(String)]);
    expect(growth.stdout()).toMatch(/^\| 20 +\|/m);
    expect(growth.stdout()).toMatch(/Exponents over members .* resume ms -?\d+\.\d+\.$/m);

    const micro = startBench(
      folder.path,
      ...['micro', '--only', 'ratelimit, exact', '--rounds', '1', '--seconds', '0.2'],
    );
    expect([await micro.exited, micro.stderr()]).toEqual([0, expect.any(String)]);
    for (const name of ['@openclaw/ratelimit', 'rate-limiter-flexible'])
      expect(micro.stdout()).toMatch(new RegExp(`^\\| ${name} +\\| +[\\d,]+ \\|`, 'm'));
  });

  it('stops its servers and removes their files when it is interrupted', async () => {
    await using folder = await temporaryFolder('compare');
    const bench = startBench(
      folder.path,
      ...['--work', 'hall', '--against', 'floor', '--rate', '100', '--seconds', '600'],
    );
    const servers = () => descendantsOf(bench.child.pid ?? 0);
    await waitFor(() => servers().length === 3, { what: 'the servers', timeoutMs: 20_000 });
    const pids = servers();
    bench.child.kill('SIGINT');
    expect([await bench.exited, bench.stderr()]).toEqual([130, expect.any(String)]);
    await waitFor(() => !pids.some(isRunning), { what: 'the end of the servers' });
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

function descendantsOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) === parent);
}

function parentOf(pid: number): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}

function isRunning(pid: number): boolean {
  return parentOf(pid) !== null;
}
