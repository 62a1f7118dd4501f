import { describe, expect, it } from '@jest/globals';
import {
  connectAgent,
  readyReport,
  startHub,
  startPostgres,
  startRedis,
  startTcpLink,
  untilRedisIs,
  waitFor,
  type HubProcess,
} from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';

const postgres = closeAfterAll(await startPostgres());
const redis = closeAfterAll(await startRedis());

async function startHubOnLink() {
  const link = closeAfterAll(await startTcpLink(postgres.port));
  const env = {
    HUB_DB_URL: postgres.url.replace(String(postgres.port), String(link.port)),
    REDIS_URL: redis.url,
    LOG_LEVEL: 'warn',
  };
  return { link, hub: closeAfterAll(await startHub({ env })) };
}
const one = await startHubOnLink();
const two = await startHubOnLink();
await untilRedisIs('used', [one.hub, two.hub]);

const statusOf = async (hub: HubProcess) => (await fetch(`${hub.httpUrl}/readyz`)).status;
const linesOf = (hub: HubProcess, message: string) =>
  hub
    .output()
    .split('\n')
    .filter((line) => line.includes(message)).length;
const alone = { ready: false, reason: 'database_of_this_hub', degraded: true };
const shared = { ready: true, reason: null, degraded: true };
const well = { ready: true, reason: null, degraded: false };
const untilReports = (hub: HubProcess, expected: object) =>
  waitFor(
    async () => {
      const report = await readyReport(hub);
      return Object.entries(expected).every(([name, value]) => value === report[name as 'ready']);
    },
    { what: JSON.stringify(expected), timeoutMs: 25_000 },
  );
/** Waits longer than a hub takes to find out that it alone has lost the database. */
async function staysReported(hub: HubProcess, expected: object): Promise<void> {
  await untilReports(hub, expected);
  const untilMs = performance.now() + 16_000;
  await waitFor(
    async () => {
      expect(await readyReport(hub)).toMatchObject(expected);
      return performance.now() >= untilMs;
    },
    { timeoutMs: 20_000, everyMs: 250 },
  );
}

describe('a hub that has lost its PostgreSQL', () => {
  it.each([
    ['refuses connections', 'refused', () => one.link.refuse()],
    ['passes nothing', 'stalled', () => one.link.stall()],
  ])(
    'while another hub reaches it is not ready, and is again at once when it is back: its link %s',
    async (_how, channelId, strike) => {
      const messages = ['another hub reaches the database', 'the database answers again'];
      const before = messages.map((message) => linesOf(one.hub, message));
      const ana = await connectAgent(two.hub, 'ana');
      await ana.call('channel.create', { channelId, name: 'Ops' });
      const ben = await connectAgent(one.hub, 'ben');
      await ben.call('channel.join', { channelId });
      strike();
      try {
        await untilReports(one.hub, alone);
        expect([await statusOf(one.hub), await statusOf(two.hub)]).toEqual([503, 200]);
        expect(await readyReport(one.hub)).toMatchObject({ database: { status: 'down' } });
        await expect(ben.call('message.send', { channelId, content: 'x' })).rejects.toMatchObject({
          code: 'unavailable',
        });
        expect(await readyReport(two.hub)).toMatchObject(well);
        expect(await ana.call('message.send', { channelId, content: 'y' })).toMatchObject({
          seq: expect.any(Number),
        });
      } finally {
        one.link.heal();
      }
      const healedMs = performance.now();
      await untilReports(one.hub, well);
      expect(performance.now() - healedMs).toBeLessThan(6_000);
      const logged = () =>
        messages.map((message, i) => linesOf(one.hub, message) - (before[i] ?? 0));
      await waitFor(() => logged().every((count) => count > 0), { what: 'both to be logged' });
      expect(logged()).toEqual([1, 1]);
      await Promise.all([ana.close(), ben.close()]);
    },
    90_000,
  );

  // Negative control: no hub reaches the database here, so both stay in the balancer.
  it('together with all other hubs stays ready, until one of these reaches it again', async () => {
    one.link.refuse();
    two.link.refuse();
    try {
      await Promise.all([one.hub, two.hub].map((hub) => staysReported(hub, shared)));
      two.link.heal();
      await untilReports(one.hub, alone);
      expect(await readyReport(two.hub)).toMatchObject(well);
      two.link.refuse();
      await untilReports(one.hub, shared);
    } finally {
      one.link.heal();
      two.link.heal();
    }
    await Promise.all([one.hub, two.hub].map((hub) => untilReports(hub, well)));
  }, 120_000);

  it('and Redis too stays ready, because it cannot know that it is alone', async () => {
    await redis.kill();
    one.link.refuse();
    try {
      await staysReported(one.hub, shared);
      await redis.restart();
      await untilReports(one.hub, alone);
    } finally {
      one.link.heal();
    }
    await untilReports(one.hub, well);
  }, 90_000);
});
