import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { startHub, startProcess } from '@openclaw/test-support';

const script = resolve(fileURLToPath(import.meta.url), '../../k6/hall.ts');
const hasK6 = spawnSync('k6', ['version'], { stdio: 'ignore' }).status === 0;
if (!hasK6) console.warn('The k6 script is not tested: k6 is not installed.');
const itWithK6 = hasK6 ? it : it.skip;

async function runK6(variables: Record<string, string>) {
  const hub = await startHub();
  const small = { HUB_URL: hub.url, AGENTS: '10', RATE: '50', DURATION: '2', CONNECT: '2' };
  const lenient = { MAX_DELIVERY_MS: '5000', MAX_TYPING_MS: '5000', MAX_PRESENCE_MS: '5000' };
  const run = startProcess('k6', ['run', '--no-usage-report', '--quiet', script], {
    env: { ...process.env, ...small, ...lenient, ...variables },
  });
  const code = await run.exited;
  await hub.stop();
  return { code, output: run.output() };
}

describe('the k6 script', () => {
  itWithK6(
    'runs the hall against a real hub, and its thresholds hold',
    async () => {
      const { code, output } = await runK6({});
      expect(output).not.toContain('✗');
      expect(output).toMatch(/hub_deliveries\n.*✓ 'count>=980' count=\d+/);
      expect(code).toBe(0);
    },
    120_000,
  );

  itWithK6(
    'fails when a threshold does not hold',
    async () => {
      const { code, output } = await runK6({ MAX_DELIVERY_MS: '0.001' });
      expect(output).toContain("✗ 'p(99)<0.001'");
      expect(code).not.toBe(0);
    },
    120_000,
  );
});
