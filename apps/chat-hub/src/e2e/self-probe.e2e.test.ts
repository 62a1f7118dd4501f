import { afterEach, describe, expect, it } from '@jest/globals';
import { startDeafProxy, startRedis, waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { startTestHub, temporaryDatabase, type TestHub } from '../testing/test-hub.ts';

const channelId = 'general';

const redis = closeAfterAll(await startRedis());
const proxy = closeAfterAll(await startDeafProxy(redis.port));
const database = closeAfterAll(await temporaryDatabase());
// This level hides warnings, which the fault under test causes.
const environment = { HUB_DB_URL: database.url, LOG_LEVEL: 'error' };
/** This hub reaches Redis through the proxy, which can withhold all messages from its subscriber connection. */
const hub = closeAfterAll(await startTestHub({ ...environment, REDIS_URL: proxy.url }));
const other = closeAfterAll(await startTestHub({ ...environment, REDIS_URL: redis.url }));
await waitFor(() => hub.redis.available && other.redis.available);
const ana = closeAfterAll(await other.connect('ana'));
const ben = closeAfterAll(await hub.connect('ben'));
await ana.call('channel.create', { channelId, name: 'General' });
await ben.call('channel.join', { channelId });
await ben.call('subscribe', { topics: [{ channelId }] });
afterEach(() => proxy.heal());

const readiness = async (of: TestHub) => (await of.request('ana', 'GET', '/readyz')).body;
const isPath = (status: string) => async () => (await readiness(hub)).publishPath.status === status;

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${hub.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
}

async function deliveryMs(): Promise<number> {
  const sentAtMs = performance.now();
  const { seq } = await ana.call('message.send', { channelId, content: 'hello' });
  await ben.event((envelope) => envelope.seq === seq);
  return performance.now() - sentAtMs;
}

describe('the self-probe of a hub', () => {
  it('reports in /readyz and /metrics that its publishes are received, and how fast', async () => {
    await waitFor(isPath('ok'));
    const { ready, publishPath } = await readiness(hub);
    expect(ready).toBe(true);
    expect(publishPath.latencyMs).toBeGreaterThan(0);
    expect(publishPath.latencyMs).toBeLessThan(500);
    expect(Math.abs(Date.now() - publishPath.lastOkAt)).toBeLessThan(5_000);
    expect(await metric('hub_publish_path_up')).toBe(1);
    const probes = await metric('hub_publish_path_seconds_count');
    expect(probes).toBeGreaterThan(0);
    expect((await metric('hub_publish_path_seconds_sum')) / probes).toBeLessThan(0.5);
  });

  // The fault: the subscriber connection answers every PING but delivers nothing, and neither do new connections.
  it('notices a deaf subscriber, delivers through the log meanwhile, and recovers with a new connection', async () => {
    await waitFor(isPath('ok'));
    const [swallowed, accepted] = [proxy.swallowed, proxy.accepted];
    const repairs = await metric('hub_tail_repairs_total');
    proxy.deafenAll();
    // The tail check still runs at its slow rate, because the hub has not noticed the fault.
    expect(await deliveryMs()).toBeLessThan(1_500);
    await waitFor(isPath('down'));
    const times: number[] = [];
    for (let i = 0; i < 8; i += 1) times.push(await deliveryMs());
    expect(Math.max(...times)).toBeLessThan(1_000);

    // Negative control: the bus did lose the messages, Redis is healthy, and the hub is ready.
    expect(proxy.swallowed - swallowed).toBeGreaterThanOrEqual(9);
    expect((await metric('hub_tail_repairs_total')) - repairs).toBeGreaterThanOrEqual(9);
    expect(await readiness(hub)).toMatchObject({ ready: true, redis: { status: 'ok' } });
    expect(await metric('hub_publish_path_up')).toBe(0);
    expect(times.reduce((sum, ms) => sum + ms) / times.length).toBeLessThan(400);

    // The hub reconnects repeatedly, but not in rapid succession.
    await waitFor(() => proxy.accepted > accepted, { what: 'a new subscriber connection' });
    expect(proxy.accepted - accepted).toBeLessThanOrEqual(4);
    proxy.heal();
    await waitFor(isPath('ok'), { timeoutMs: 20_000 });
    const heard = (await metric('hub_tail_repairs_total')) + 0;
    const after = await Promise.all([deliveryMs(), deliveryMs(), deliveryMs()]);
    expect(Math.min(...after)).toBeLessThan(150);
    expect(await metric('hub_tail_repairs_total')).toBeLessThanOrEqual(heard + 1);

    const seqs = ben.events.map(({ seq }) => seq as number | null).filter((seq) => seq !== null);
    expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] ?? 0) + i));
  }, 60_000);

  it('reports the path down while Redis is away, stays ready, and recovers with Redis', async () => {
    await waitFor(isPath('ok'));
    await redis.kill();
    await waitFor(isPath('down'));
    expect(await readiness(hub)).toMatchObject({ ready: true, redis: { status: 'down' } });
    await redis.restart();
    await waitFor(isPath('ok'), { timeoutMs: 20_000 });
  }, 60_000);

  it('is unused on a single hub without a configured Redis', async () => {
    await using own = await temporaryDatabase();
    await using alone = await startTestHub({ HUB_DB_URL: own.url, LOG_LEVEL: 'error' });
    const { ready, redis: state, publishPath } = await readiness(alone);
    expect(ready).toBe(true);
    // If a Redis runs on the default port of this machine, the hub uses it.
    if (state.status === 'down')
      expect(publishPath).toEqual({ status: 'unused', latencyMs: null, lastOkAt: null });
  });
});
