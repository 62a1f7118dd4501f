import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startHub, startProcess, temporaryFolder, type HubProcess } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { defaultThresholdsPath } from './plan/thresholds.ts';

const scripts = resolve(fileURLToPath(import.meta.url), '../../k6');
// The scripts belong to another TypeScript project, so this import is dynamic. TypeScript refuses a static import,
// because it cannot rewrite a path into another project.
const { k6Thresholds } = (await import(join(scripts, 'thresholds.ts'))) as {
  readonly k6Thresholds: (
    file: object,
    scenario: string,
    trends: Record<string, string>,
    errors: string,
  ) => Record<string, string[]>;
};

describe('the thresholds of k6', () => {
  const trends = { delivery: 'hub_delivery_ms', ack: 'hub_ack_ms' };

  it('are those of the load generator’s file', () => {
    const file = JSON.parse(readFileSync(defaultThresholdsPath, 'utf8')) as object;
    expect(k6Thresholds(file, 'hall', trends, 'hub_refused')).toEqual({
      hub_refused: ['count<=0'],
      hub_delivery_ms: ['p(99)<50'],
      hub_ack_ms: ['p(99)<100'],
    });
  });

  it('take every percentile, and the scenario’s own before the general ones', () => {
    const file = {
      calls: { delivery: { p50Ms: 1, p90Ms: 2, p99Ms: 3, maxMs: 4 }, ack: { p99Ms: 9 } },
      maxErrors: 1,
      scenarios: { teams: { calls: { ack: { p99Ms: 5 } }, maxErrors: 7 } },
    };
    expect(k6Thresholds(file, 'teams', trends, 'hub_refused')).toEqual({
      hub_refused: ['count<=7'],
      hub_delivery_ms: ['med<1', 'p(90)<2', 'p(99)<3', 'max<4'],
      hub_ack_ms: ['p(99)<5'],
    });
    expect(k6Thresholds(file, 'hall', trends, 'hub_refused')['hub_ack_ms']).toEqual(['p(99)<9']);
  });
});

const hasK6 = spawnSync('k6', ['version'], { stdio: 'ignore' }).status === 0;
const title = 'the k6 scripts (need k6, which is not installed by npm)';

(hasK6 ? describe : describe.skip)(title, () => {
  const scope = suiteScope();
  const patienceMs = 120_000;
  let hub: HubProcess;
  let folder: string;
  beforeAll(async () => {
    hub = await scope.use(startHub());
    folder = (await scope.use(temporaryFolder('k6'))).path;
  });

  async function runK6(script: string, p99Ms: number) {
    const thresholds = join(folder, `${script}-${p99Ms}.json`);
    const names = ['delivery', 'ack', 'typing', 'presence', 'history'];
    const calls = Object.fromEntries(names.map((name) => [name, { p99Ms }]));
    writeFileSync(thresholds, JSON.stringify({ calls }));
    const path = join(scripts, `${script}.ts`);
    const small = { AGENTS: '10', RATE: '50', DURATION: '2', CONNECT: '2', MESSAGES: '60' };
    const run = startProcess('k6', ['run', '--no-usage-report', '--quiet', path], {
      env: { ...process.env, ...small, HUB_URL: hub.url, THRESHOLDS: thresholds },
    });
    const code = await run.exited;
    return { code, output: run.output() };
  }

  it.each(['hall', 'teams', 'history'])(
    '%s runs against a real hub, and its thresholds hold',
    async (script) => {
      const { code, output } = await runK6(script, 5_000);
      expect(output).not.toContain('✗');
      expect(output).toContain('✓');
      expect(code).toBe(0);
    },
    patienceMs,
  );

  it(
    'fail when a threshold does not hold',
    async () => {
      const { code, output } = await runK6('hall', 0.001);
      expect(output).toContain("✗ 'p(99)<0.001'");
      expect(code).not.toBe(0);
    },
    patienceMs,
  );
});
