import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { startHub, startProcess } from '@openclaw/test-support';

const script = resolve(fileURLToPath(import.meta.url), '../../k6/hall.ts');
const cache = join(homedir(), '.cache', 'openclaw');
const version = 'v1.8.1';

const runs = (command: string) => spawnSync(command, ['version'], { stdio: 'ignore' }).status === 0;

/** k6 as it is installed or was built before; else built from its source, where Go is there to do it. */
function findK6(): string | null {
  const built = join(cache, 'k6');
  if (runs('k6')) return 'k6';
  if (existsSync(built)) return built;
  if (!runs('go')) return null;
  mkdirSync(cache, { recursive: true });
  console.log(`Building k6 ${version} into ${cache}, once; this takes minutes.`);
  const env = { ...process.env, GOBIN: cache, GOFLAGS: '-mod=mod' };
  spawnSync('go', ['install', `go.k6.io/k6@${version}`], {
    env,
    stdio: 'ignore',
    timeout: 480_000,
  });
  return existsSync(built) ? built : null;
}

const k6 = findK6();
if (k6 === null)
  console.warn('The k6 script is not tested: there is neither k6 nor a Go that could build it.');
const itWithK6 = k6 === null ? it.skip : it;

async function runK6(variables: Record<string, string>) {
  const hub = await startHub();
  const small = { HUB_URL: hub.url, AGENTS: '10', RATE: '50', DURATION: '2', CONNECT: '2' };
  const lenient = { MAX_DELIVERY_MS: '5000', MAX_TYPING_MS: '5000', MAX_PRESENCE_MS: '5000' };
  const run = startProcess(k6 as string, ['run', '--no-usage-report', '--quiet', script], {
    env: { ...process.env, ...small, ...lenient, ...variables },
  });
  const code = await run.exited;
  await hub.stop();
  return { code, output: run.output() };
}

describe('the k6 script', () => {
  itWithK6(
    'does the hall’s work on a real hub, and its thresholds hold',
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
