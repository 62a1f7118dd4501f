import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  freePort,
  startHub,
  startRedis,
  temporaryFolder,
  waitFor,
  type HubProcess,
  type RedisServer,
  type TemporaryFolder,
} from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import {
  lenientArguments,
  runLoadgen as run,
  startLoadgen as start,
} from './testing/loadgen-process.ts';
import type { Outcome } from './measure/outcome.ts';
import { signToken } from './fleet/tokens.ts';
import { startTamperingProxy } from './testing/tampering-proxy.ts';

const scope = suiteScope();
let redis: RedisServer;
let hub: HubProcess;
let folder: TemporaryFolder;

beforeAll(async () => {
  redis = await scope.use(startRedis());
  hub = await scope.use(startHub({ env: { REDIS_URL: redis.url } }));
  folder = await scope.use(temporaryFolder('loadgen'));
});

// The thresholds are lenient, because other tests share the machine. The test of a failed threshold sets an impossible
// one.
const lenient = () => lenientArguments(folder.path);
const small = ['--agents', '20', '--rate', '200'];
const short = ['--duration', '3', '--warmup', '0.5'];
const brief = ['--duration', '1', '--warmup', '0.2'];

describe('the load generator', () => {
  it('runs 20 agents for three seconds, passes every threshold, and exits with 0', async () => {
    const file = join(folder.path, 'outcome.json');
    const measured = ['--hub-pid', String(hub.pid), '--json', file];
    const { code, output } = await run(hub.url, [...small, ...short, ...lenient(), ...measured]);
    expect(output).toContain('hall: 20 agents + 1 watcher, 1 channel, 200 messages/s');
    expect(output).not.toContain('FAIL');
    expect(output).toMatch(/^PASS  hall/m);
    expect(output.match(/ pass$/gm)).toHaveLength(11);
    expect(code).toBe(0);

    const outcome = JSON.parse(readFileSync(file, 'utf8')) as Outcome;
    expect(outcome.failures).toEqual({});
    expect(outcome.total).toMatchObject({ connected: 21, lost: 0, doubled: 0, errors: {} });
    // Each of the 20 agents, including the sender, gets each message.
    expect(outcome.total.latencies.delivery?.count).toBe(600 * 20);
    expect(outcome.total.latencies.ack?.count).toBe(600);
    expect(outcome.total.latencies.typing?.count).toBeGreaterThan(0);
    expect(outcome.total.latencies.presence?.count).toBeGreaterThan(0);
    expect(outcome.total.latencies.reaction?.count).toBeGreaterThan(0);
    expect(outcome.total.hub?.cpuUsPerDelivery).toBeGreaterThan(0);
    const { channels } = (await (await fetch(`${hub.httpUrl}/v1/channels?agent=ana`)).json()) as {
      channels: unknown[];
    };
    expect(channels).toEqual([]);
  });

  it('exits with 1 when one threshold fails, and names it', async () => {
    const { code, output } = await run(hub.url, [
      ...small,
      ...brief,
      ...lenient(),
      '--max-delivery-ms',
      '0.001',
    ]);
    expect(output.match(/^.* FAIL$/gm)).toEqual([expect.stringContaining('message delivery')]);
    // The run is inconclusive when other tests keep the machine busy.
    expect([
      output
        .split('\n')
        .find((line) => / hall: /.test(line))
        ?.split(' ')[0],
      code,
    ]).toEqual(code === 3 ? ['INCONCLUSIVE', 3] : ['FAIL', 1]);
  });

  it('runs teams on two threads, each agent in one channel', async () => {
    const file = join(folder.path, 'teams.json');
    const teams = ['--scenario', 'teams', '--channels', '4', '--workers', '2', '--json', file];
    const { code, output } = await run(hub.url, [...small, ...brief, ...lenient(), ...teams]);
    expect(output).toContain('teams: 20 agents + 1 watcher, 4 channels');
    expect(output).not.toContain('FAIL');
    expect(code).toBe(0);
    const outcome = JSON.parse(readFileSync(file, 'utf8')) as Outcome;
    expect(outcome.total.latencies.delivery?.count).toBe(200 * 5);
  });

  it('reports a missing hub in one sentence and exits with 2', async () => {
    const { code, output } = await run(`ws://127.0.0.1:${await freePort()}`, small);
    expect(output.trim()).toMatch(/^loadgen: No run against ws:\/\/127.*was refused.*npm start.*$/);
    expect(code).toBe(2);
  });

  it.each([
    [['--agents', 'many'], 'whole number'],
    [['--scenario', 'zoo'], 'Allowed are hall, teams, crowd, herd, day'],
    [['--token-secret-env', 'NO_SUCH_VARIABLE'], 'NO_SUCH_VARIABLE'],
    [['--workers', '30', '--agents', '20'], '--workers'],
    [['--hub-pid', '1073741824'], 'no process'],
  ])('refuses %j with a sentence, and exits with 2', async (args, part) => {
    const { code, output } = await run(hub.url, args);
    expect(output).toContain(part);
    expect(code).toBe(2);
  });

  it('shows examples with --help', async () => {
    const { code, output } = await run(hub.url, ['--help']);
    expect(output).toContain('npm run loadgen -- --url wss://');
    expect(code).toBe(0);
  });

  it('reports what it measured when it is interrupted, and exits with 130', async () => {
    const file = join(folder.path, 'interrupted.json');
    const endless = ['--duration', '600', '--warmup', '0', '--json', file];
    const started = start(hub.url, [...small, ...lenient(), ...endless]);
    await waitFor(() => started.output().includes('measuring'), { timeoutMs: 30_000 });
    started.signal('SIGINT');
    expect(await started.exited).toBe(130);
    expect(started.output()).toContain('(interrupted)');
    expect(started.output()).toMatch(/exactly once, in order .* pass/);
    const outcome = JSON.parse(readFileSync(file, 'utf8')) as Outcome;
    expect(outcome).toMatchObject({ isInterrupted: true, total: { lost: 0, connected: 21 } });
  });

  it('that is interrupted while it connects still ends with a report', async () => {
    const many = ['--scenario', 'crowd', '--agents', '400'];
    const started = start(hub.url, [...many, ...lenient()]);
    await waitFor(() => started.output().includes('connecting'), { timeoutMs: 30_000 });
    started.signal('SIGINT');
    expect(await started.exited).toBe(130);
    expect(started.output()).toMatch(/throughput .* not measured/);
  });

  it('compares with a former run', async () => {
    const file = join(folder.path, 'former.json');
    const load = ['--agents', '3', '--duration', '0.5', '--warmup', '0.1', ...lenient()];
    expect(await run(hub.url, [...load, '--json', file])).toMatchObject({ code: 0 });
    const { code, output } = await run(hub.url, [...load, '--compare', file]);
    expect(output).toMatch(/compared with the run of .*\n+message delivery p50 ms +[\d.]+/);
    expect(output).not.toContain('The plans differ');
    expect(code).toBe(0);
  });

  // Negative control of "every subscriber gets every seq once": a proxy that loses and repeats
  // events.
  it('finds a repeated and a missing event', async () => {
    const proxy = await startTamperingProxy(hub.url);
    const file = join(folder.path, 'tampered.json');
    const { code, output } = await run(proxy.url, [
      ...small,
      ...brief,
      ...lenient(),
      '--json',
      file,
    ]);
    await proxy.stop();
    const outcome = JSON.parse(readFileSync(file, 'utf8')) as Outcome;
    expect(outcome).toMatchObject({ total: { lost: 1, doubled: 1 } });
    expect(output.match(/^.* FAIL$/gm)).toEqual([expect.stringContaining('1 lost, 1 doubled')]);
    expect(code).toBe(1);
  });
});

describe('the load generator against a hub with tokens', () => {
  const secret = 'a-secret-for-tests-of-more-than-32-characters';
  let guarded: HubProcess;
  beforeAll(async () => {
    const env = { REDIS_URL: redis.url, HUB_AUTH: 'jwt', HUB_JWT_SECRET: secret };
    guarded = await scope.use(startHub({ env }));
  });

  function adminToken(): string {
    // This token differs from that of signToken only by a role.
    const [header, claims] = signToken(secret, 'admin').split('.') as [string, string];
    const decoded = JSON.parse(Buffer.from(claims, 'base64url').toString()) as object;
    const signed = `${header}.${Buffer.from(JSON.stringify({ ...decoded, role: 'admin' })).toString('base64url')}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  }

  it('signs its agents’ tokens with the secret', async () => {
    const args = [...small, ...brief, ...lenient(), '--token-secret-env', 'MY_SECRET'];
    expect(await run(guarded.url, args, { MY_SECRET: secret })).toMatchObject({ code: 0 });
  });

  it('lets the hub mint them, by an admin’s token', async () => {
    expect(
      await run(guarded.url, [...small, ...brief, ...lenient(), '--token', adminToken()]),
    ).toMatchObject({ code: 0 });
  });

  it('reports a refusal in one sentence and exits with 2', async () => {
    const wrong = await run(guarded.url, [...small, '--token-secret-env', 'MY_SECRET'], {
      MY_SECRET: 'x'.repeat(40),
    });
    expect(wrong.output).toContain('4401 unauthorized');
    expect(wrong.code).toBe(2);
    const noAdmin = await run(guarded.url, [...small, '--token', signToken(secret, 'ana')]);
    expect(noAdmin.output).toMatch(/minted no token .* --token must be an admin/);
    expect(noAdmin.code).toBe(2);
  });
});
