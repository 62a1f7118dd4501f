import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  freePort,
  hubMetric,
  startHub,
  startPostgres,
  startProcess,
  startRedis,
  temporaryFolder,
  waitFor,
  type HubProcess,
} from '@openclaw/test-support';
import { createClient } from './client.ts';
import type { HubClient } from './hub-client.ts';

const hasHaproxy = spawnSync('haproxy', ['-v']).error === undefined;
// eslint-disable-next-line no-console -- says why the test does not run
if (!hasHaproxy) console.log('haproxy is not installed (Debian: haproxy); its test is skipped');

const endings: (() => unknown)[] = [];
afterAll(async () => {
  for (let end = endings.pop(); end; end = endings.pop()) await end();
}, 60_000);

const checkMs = 200;

async function startHaproxy(ports: readonly number[]) {
  const folder = await temporaryFolder('haproxy');
  endings.push(() => folder.remove());
  const [port, statsPort] = [await freePort(), await freePort()];
  const servers = ports.map((hubPort, at) => `  server hub${at} 127.0.0.1:${hubPort} check`);
  const lines = [
    'global',
    '  log stdout format raw local0 notice',
    'defaults',
    '  log global',
    '  mode http',
    '  timeout connect 2s',
    '  timeout client 1h',
    '  timeout server 1h',
    '  timeout tunnel 1h',
    // A busy hub may need longer for an answer than the time between two checks.
    '  timeout check 2s',
    'listen hubs',
    `  bind 127.0.0.1:${port}`,
    '  balance leastconn',
    '  option httpchk GET /readyz',
    '  http-check expect status 200',
    `  default-server inter ${checkMs}ms fall 2 rise 1`,
    ...servers,
    'listen stats',
    `  bind 127.0.0.1:${statsPort}`,
    '  stats enable',
    '  stats uri /',
  ];
  await writeFile(`${folder.path}/haproxy.cfg`, `${lines.join('\n')}\n`);
  const process = startProcess('haproxy', ['-db', '-f', `${folder.path}/haproxy.cfg`]);
  endings.push(() => process.stop('SIGKILL'));
  return {
    port,
    /** HAProxy's output: when it took a hub out, and why. */
    log: () => process.output(),
    async isUp(at: number): Promise<boolean> {
      const answer = await fetch(`http://127.0.0.1:${statsPort}/;csv`).catch(() => null);
      const row = (await answer?.text())
        ?.split('\n')
        .find((line) => line.startsWith(`hubs,hub${at},`));
      return row?.split(',')[17]?.startsWith('UP') ?? false;
    },
  };
}

async function startSystem(drainDelayMs: number) {
  const postgres = await startPostgres();
  endings.push(() => postgres.stop());
  const redis = await startRedis();
  endings.push(() => redis.stop());
  const env = {
    REDIS_URL: redis.url,
    HUB_DB_URL: postgres.url,
    HUB_DRAIN_DELAY_MS: String(drainDelayMs),
    HUB_DRAIN_MS: '2000',
  };
  const hubs: HubProcess[] = [];
  for (let at = 0; at < 2; at += 1) {
    const hub = await startHub({ env });
    endings.push(() => hub.stop());
    hubs.push(hub);
  }
  const balancer = await startHaproxy(hubs.map(({ port }) => port));
  const untilUp = (at: number) =>
    waitFor(() => balancer.isUp(at), { what: `hub ${at} in the balancer`, timeoutMs: 20_000 });
  await Promise.all([untilUp(0), untilUp(1)]);
  return { hubs, balancer, untilUp };
}

function startRequests(port: number) {
  let isOver = false;
  let count = 0;
  /** The status and the text of each refusal. The text shows whether the balancer or a hub refused. */
  const failed: (readonly [status: number, text: string])[] = [];
  async function request(): Promise<void> {
    while (!isOver) {
      const answer = fetch(`http://127.0.0.1:${port}/v1/channels?agent=agent0`);
      await answer.then(
        async (response) => {
          if (response.status !== 200) failed.push([response.status, await response.text()]);
        },
        (error: unknown) => failed.push([0, String(error)]),
      );
      count += 1;
      await pause(25);
    }
  }
  const work = Promise.all([request(), request()]);
  return {
    failed: () => failed,
    async stop() {
      isOver = true;
      await work;
      return { count, failed };
    },
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Agent {
  readonly client: HubClient;
  readonly seqs: number[];
  readonly discontinuities: unknown[];
  welcomes: number;
}

const agentCount = 100;
const channelId = 'hall';
const itBehindHaproxy = hasHaproxy ? it : it.skip;

describe('rolling restarts of two hubs behind HAProxy (needs haproxy)', () => {
  itBehindHaproxy(
    'lose nothing, fail no call and move each socket of a restarted hub once',
    async () => {
      const { hubs, balancer, untilUp } = await startSystem(5 * checkMs);
      const agents: Agent[] = [];
      for (let n = 0; n < agentCount; n += 1) {
        const client = createClient({ url: `ws://127.0.0.1:${balancer.port}`, agent: `agent${n}` });
        endings.push(() => client.close());
        const agent: Agent = { client, seqs: [], discontinuities: [], welcomes: 0 };
        client.on('event', ({ seq, channelId: of }) => {
          if (seq !== null && of === channelId) agent.seqs.push(seq);
        });
        client.on('discontinuity', (value) => agent.discontinuities.push(value));
        client.on('welcome', () => (agent.welcomes += 1));
        agents.push(agent);
      }
      const [first] = agents;
      await first?.client.call('channel.create', { channelId, name: 'Hall' });
      await Promise.all(agents.map(({ client }) => client.channel(channelId).join()));
      await Promise.all(agents.map(({ client }) => client.channel(channelId).subscribe()));

      let isOver = false;
      const acks: number[] = [];
      const failures: unknown[] = [];
      async function talk({ client }: Agent, n: number): Promise<void> {
        await pause(20 * n);
        while (!isOver) {
          await client
            .channel(channelId)
            .send(`from ${n}`)
            .then(
              ({ seq }) => acks.push(seq),
              (error: unknown) => failures.push(error),
            );
          await pause(2_000);
        }
      }
      const moreAcks = () => {
        const acked = acks.length;
        return waitFor(() => acks.length > acked + agentCount, {
          what: 'traffic',
          timeoutMs: 20_000,
        });
      };
      const work = agents.map(talk);
      const requests = startRequests(balancer.port);
      await moreAcks();

      for (let roll = 1; roll <= 3; roll += 1) {
        for (const [at, hub] of hubs.entries()) {
          const leaving = (await hubMetric(hub, 'hub_sockets')) ?? NaN;
          const before = agents.map(({ welcomes }) => welcomes);
          expect(await hub.end('SIGTERM')).toBe(0);
          await hub.restart();
          await untilUp(at);
          await waitFor(() => agents.every(({ client }) => client.state === 'live'), {
            what: 'all agents back',
            timeoutMs: 20_000,
          });
          const moves = agents.map(({ welcomes }, n) => welcomes - (before[n] ?? 0));
          expect(moves.filter((count) => count > 1)).toEqual([]);
          expect(moves.filter((count) => count === 1)).toHaveLength(leaving);
          await moreAcks();
        }
      }

      isOver = true;
      await Promise.all(work);
      const { count, failed } = await requests.stop();
      const why = failed.length > 0 ? balancer.log() : '';
      expect([failures, failed, why]).toEqual([[], [], '']);
      expect(count).toBeGreaterThan(200);
      expect(new Set(acks).size).toBe(acks.length);
      const last = Math.max(...acks);
      await waitFor(() => agents.every(({ seqs }) => (seqs.at(-1) ?? 0) >= last), {
        what: 'the last message everywhere',
      });
      for (const { seqs, discontinuities } of agents) {
        expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] ?? 0) + i));
        expect(discontinuities).toEqual([]);
      }
      expect(first?.seqs).toEqual(expect.arrayContaining(acks));
      process.stderr.write(
        `[rolls] ${JSON.stringify({ agents: agentCount, acked: acks.length, requests: count })}\n`,
      );
    },
    300_000,
  );

  // Negative control: without the delay, the balancer sends requests to a hub that is gone.
  itBehindHaproxy(
    'fail requests when HUB_DRAIN_DELAY_MS is 0',
    async () => {
      const { hubs, balancer } = await startSystem(0);
      const requests = startRequests(balancer.port);
      await hubs[0]?.end('SIGTERM');
      await waitFor(() => requests.failed().length > 0, { what: 'a failed request' });
      for (const [status] of (await requests.stop()).failed) expect([502, 503]).toContain(status);
    },
    120_000,
  );
});
