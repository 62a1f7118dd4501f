import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  startHub,
  startHubPair,
  startRedis,
  temporaryFolder,
  type HubProcess,
  type RedisServer,
} from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { chromium } from 'playwright-core';
import { lenientArguments, runLoadgen } from './testing/loadgen-process.ts';
import type { Outcome, StageOutcome } from './measure/outcome.ts';

const scope = suiteScope();
let redis: RedisServer;
let hub: HubProcess;
let folder: string;
beforeAll(async () => {
  redis = await scope.use(startRedis());
  hub = await scope.use(startHub({ env: { REDIS_URL: redis.url } }));
  folder = (await scope.use(temporaryFolder('loadgen-scenarios'))).path;
});

const fileOf = (name: string) => join(folder, name);
const readOutcome = (name: string) =>
  JSON.parse(readFileSync(fileOf(name), 'utf8')) as Omit<Outcome, 'stages'> & {
    readonly stages: readonly (StageOutcome & { readonly verdict: string })[];
  };
const lenient = () => lenientArguments(folder);

describe('the day', () => {
  it('has every kind of work, and its HTML report opens in Chromium without a network', async () => {
    const reports = ['--json', fileOf('day.json'), '--html', fileOf('day.html')];
    const machines = ['--junit', fileOf('day.xml'), '--prometheus', fileOf('day.txt')];
    const load = ['--scenario', 'day', '--agents', '12', '--duration', '6', '--warmup', '1'];
    const rates = ['--rate', '12', '--rejoin-rate', '2', '--direct-rate', '4', '--reply-rate', '4'];
    const more = ['--typing-rate', '2', '--presence-rate', '2', '--history-rate', '3'];
    const args = [...lenient(), ...load, ...rates, ...more, ...reports, ...machines];
    const { code, output } = await runLoadgen(hub.url, args);
    expect(output).not.toContain('FAIL');
    expect(code).toBe(0);

    const { total, series } = readOutcome('day.json');
    expect(total).toMatchObject({ connected: 13, lost: 0, doubled: 0, errors: {} });
    const measured = Object.entries(total.latencies).filter(([, summary]) => summary !== null);
    expect(measured.map(([name]) => name).sort()).toEqual(
      [
        ...['ack', 'delivery', 'direct', 'history', 'lateness', 'presence', 'reaction'],
        ...['rejoin', 'reply', 'typing'],
      ].sort(),
    );
    expect(series.length).toBeGreaterThanOrEqual(6);
    expect(readFileSync(fileOf('day.xml'), 'utf8')).toContain('failures="0"');
    expect(readFileSync(fileOf('day.txt'), 'utf8')).toContain('verdict="pass"} 1');

    const browser = await chromium.launch({
      executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--no-proxy-server'],
    });
    scope.defer(() => browser.close());
    const context = await browser.newContext({ offline: true });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => complaints.push(message.text()));
    await page.goto(pathToFileURL(fileOf('day.html')).href);
    expect(await page.locator('h1').innerText()).toBe('Pass: every threshold holds');
    expect(await page.locator('svg').count()).toBeGreaterThanOrEqual(6);
    // If the page's own policy refused the style, the lines would be black.
    const stroke = await page.evaluate(
      `getComputedStyle(document.querySelector('path.line')).stroke`,
    );
    expect(stroke).not.toMatch(/none|rgb\(0, 0, 0\)/);
    expect(complaints).toEqual([]);
  });
});

describe('a scenario file', () => {
  it('cuts the sockets of a herd, which reconnects without a loss', async () => {
    const file = fileOf('short-herd.json');
    writeFileSync(
      file,
      JSON.stringify({
        name: 'short-herd',
        extends: 'herd',
        agents: 20,
        channels: 2,
        rates: { message: 40 },
        cutEverySeconds: 1,
        warmupSeconds: 0.2,
        stages: [{ factor: 1, seconds: 1.5 }],
      }),
    );
    const args = [...lenient(), '--scenario', file, '--json', fileOf('herd.json')];
    const { code, output } = await runLoadgen(hub.url, args);
    expect(output).not.toContain('FAIL');
    expect(code).toBe(0);
    const { total } = readOutcome('herd.json');
    expect(total).toMatchObject({ connected: 21, reconnects: 20, lost: 0, doubled: 0, errors: {} });
    expect(total.latencies.reconnect?.count).toBe(20);
    expect(total.latencies.delivery?.count).toBe(60 * 10);
  });

  it('measures each of its stages on its own', async () => {
    const file = fileOf('steps.json');
    const stages = [
      { factor: 1, seconds: 1 },
      { factor: 3, seconds: 1 },
    ];
    const rates = { message: 20, typing: 0, presence: 0, reaction: 0 };
    writeFileSync(
      file,
      JSON.stringify({ name: 'steps', agents: 5, rates, warmupSeconds: 0.2, stages }),
    );
    const args = [...lenient(), '--scenario', file, '--json', fileOf('steps-outcome.json')];
    expect(await runLoadgen(hub.url, args)).toMatchObject({ code: 0 });
    const outcome = readOutcome('steps-outcome.json');
    const counts = outcome.stages.map(({ measurement }) => measurement.latencies.ack?.count);
    expect(counts).toEqual([20, 60]);
    expect(outcome.total.latencies.ack?.count).toBe(80);
  });

  it('that is wrong ends the run, which names the settings', async () => {
    const file = fileOf('wrong.json');
    writeFileSync(file, '{"name": "wrong", "agents": "many"}');
    const { code, output } = await runLoadgen(hub.url, ['--scenario', file]);
    expect(output).toMatch(/wrong\.json is not valid:\s+agents: /);
    expect(code).toBe(2);
  });
});

describe('a ramp', () => {
  const load = ['--agents', '5', '--rate', '10', '--duration', '0.6', '--warmup', '0.2'];

  it('grows until it breaks, and reports the load that it held', async () => {
    // A hub that allows 30 messages in ten seconds fails the ramp on a machine of any speed.
    const env = { REDIS_URL: redis.url, HUB_LIMIT_MESSAGE: '30/10' };
    const limited = await scope.use(startHub({ env }));
    const args = [...load, '--ramp', '8', '--json', fileOf('ramp.json'), ...lenient()];
    const { code, output } = await runLoadgen(limited.url, args);
    const outcome = readOutcome('ramp.json');
    expect(outcome.stages.map(({ verdict }) => verdict).slice(0, 1)).toEqual(['pass']);
    expect(outcome.stages.at(-1)?.verdict).toBe('fail');
    expect(outcome.stages.length).toBeLessThan(5);
    expect(output).toContain('a ramp from 10 messages/s');
    expect(output).toMatch(/It held [\d,.]+ calls\/s/);
    expect(output).toMatch(/It broke at [\d,.]+ calls\/s[\s\S]*rate_limited/);
    expect(code).toBe(0);
  });
});

describe('a run against two hubs', () => {
  it('divides the agents among them, and every agent gets the messages of both', async () => {
    const pair = await scope.use(startHubPair({ REDIS_URL: redis.url }));
    const [first, second] = pair.hubs;
    const load = ['--agents', '6', '--rate', '30', '--duration', '1', '--warmup', '0.3'];
    const args = ['--url', second.url, ...load, '--json', fileOf('pair.json'), ...lenient()];
    const { code, output } = await runLoadgen(first.url, args);
    expect(output).not.toContain('FAIL');
    expect(code).toBe(0);
    const { plan, total } = readOutcome('pair.json');
    expect(plan.urls).toHaveLength(2);
    expect(total.latencies.delivery?.count).toBe(30 * 6);
    expect(total).toMatchObject({ lost: 0, doubled: 0 });
  });
});
