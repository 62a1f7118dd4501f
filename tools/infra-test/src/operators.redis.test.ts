import { join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import {
  startChatTraffic,
  startHub,
  startProcess,
  usesRedis,
  waitFor,
} from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { root } from './repository.ts';
import { startByScript } from './start-script.ts';

const password = 'hub-secret';
const adminPassword = 'admin-secret';

const scope = suiteScope();
let address: string;
let hubPort: number;

async function run(program: string, args: readonly string[], env: Record<string, string>) {
  const child = startProcess(
    process.execPath,
    [
      ...['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'],
      ...[join(root, 'apps/chat-hub/src', program), ...args],
    ],
    { cwd: join(root, 'tools/infra-test'), env },
  );
  const code = await child.exited;
  return { code, output: child.output() };
}

beforeAll(async () => {
  const server = await scope.use(
    startByScript('prod', { REDIS_PASSWORD: password, REDIS_ADMIN_PASSWORD: adminPassword }),
  );
  address = `127.0.0.1:${server.port}`;
  const hub = await scope.use(
    startHub({ env: { REDIS_URL: `redis://${address}`, REDIS_PASSWORD: password } }),
  );
  hubPort = hub.port;
  await waitFor(() => usesRedis(hub), { timeoutMs: 20_000, what: 'a hub that uses Redis' });
  const traffic = await scope.use(startChatTraffic([hub]));
  await traffic.moreAcks(100);
}, 60_000);

it('redis.prod.conf under a hub is clean for the audit as admin', async () => {
  const { code, output } = await run(
    'audit/main.ts',
    ['--url', `redis://admin@${address}`, '--role', 'production'],
    { AUDIT_REDIS_PASSWORD: adminPassword },
  );
  expect(output).toContain('✓ clean');
  expect(output).not.toContain('CONFIG GET is not allowed');
  expect(code).toBe(0);
}, 60_000);

it("the hub's own user may not walk the keys, and the audit says so", async () => {
  const { code, output } = await run('audit/main.ts', [], {
    REDIS_URL: `redis://${address}`,
    REDIS_PASSWORD: password,
  });
  expect(code).toBe(2);
  expect(output).toContain('the audit needs SCAN');
  expect(output).not.toContain(password);
});

it("npm run health sees all of Redis as the hub's own user", async () => {
  const { output } = await run('health/main.ts', ['--json'], {
    HUB_PORT: String(hubPort),
    HUB_JWT_SECRET: 'x'.repeat(32),
    NODE_ENV: 'production',
    REDIS_URL: `redis://${address}`,
    REDIS_PASSWORD: password,
  });
  const { sections } = JSON.parse(output) as {
    sections: { title: string; lines: { name: string; state: string; seen: string }[] }[];
  };
  const redis = sections.find(({ title }) => title === 'Redis')?.lines ?? [];
  // The environment names another database, so the row about hubs is not compared.
  const rest = redis.filter(({ name }) => name !== 'hubs');
  expect(rest.filter(({ state }) => state !== 'ok')).toEqual([]);
  expect(rest.map(({ name }) => name)).toEqual([
    ...['reachable', 'role', 'policy', 'memory', 'evictions', 'persistence'],
  ]);
  const slow = sections.at(-1)?.lines.find(({ name }) => name === 'Slow Pub/Sub');
  expect(slow?.seen).toMatch(/ms from here/);
});
