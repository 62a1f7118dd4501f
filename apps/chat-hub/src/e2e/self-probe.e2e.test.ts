import { afterEach, describe, expect, it } from '@jest/globals';
import { startDeafProxy, startRedis, waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { startTestHub, temporaryDatabase, type TestHub } from '../testing/test-hub.ts';

const channelId = 'general';

const redis = closeAfterAll(await startRedis());
const proxy = closeAfterAll(await startDeafProxy(redis.port));
const database = closeAfterAll(await temporaryDatabase());
// Warnings are expected here: they report the fault under test.
const environment = { HUB_DB_URL: database.url, LOG_LEVEL: 'error' };
/** Its subscriber connection can be made deaf. */
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

/** Ana, on the other hub, sends; how long until Ben, on the hub that may be deaf, has it. */
async function deliveryMs(): Promise<number> {
  const sentAtMs = performance.now();
  const { seq } = await ana.call('message.send', { channelId, content: 'hello' });
  await ben.event((envelope) => envelope.seq === seq);
  return performance.now() - sentAtMs;
}

describe('the self-probe of a hub', () => {
  it('says in /readyz and /metrics that what it publishes comes back, and how fast', async () => {
    await waitFor(isPath('ok'));
    const { ready, publishPath } = await readiness(hub);
    expect(ready).toBe(true);
    expect(publishPath.latencyMs).toBeGreaterThan(0);
    expect(publishPath.latencyMs).toBeLessThan(500);
    expect(Math.abs(Date.now() - publishPath.lastOkAt)).toBeLessThan(5_000);
    expect(await metric('hub_publish_path_up')).toBe(1);
    expect(await metric('hub_publish_path_latency_seconds')).toBeCloseTo(
      publishPath.latencyMs / 1000,
      3,
    );
  });

  // The fault: the subscriber connection answers every PING and brings nothing, so that all health is green while the
  // hub hears nobody. It is given here to every new connection too, so that it lasts as long as the test wants.
  it('finds out that its subscriber is deaf, delivers by the log meanwhile, and is whole again with a connection that hears', async () => {
    await waitFor(isPath('ok'));
    const [swallowed, accepted] = [proxy.swallowed, proxy.accepted];
    const repairs = await metric('hub_tail_repairs_total');
    proxy.deafenAll();
    // Before it has found out the tail check is slow, and yet nothing takes longer than a second.
    expect(await deliveryMs()).toBeLessThan(1_500);
    await waitFor(isPath('down'));
    const times: number[] = [];
    for (let i = 0; i < 8; i += 1) times.push(await deliveryMs());
    expect(Math.max(...times)).toBeLessThan(1_000);

    // Control: the bus did lose them, Redis says it is well, and the hub is ready.
    expect(proxy.swallowed - swallowed).toBeGreaterThanOrEqual(9);
    expect((await metric('hub_tail_repairs_total')) - repairs).toBeGreaterThanOrEqual(9);
    expect(await readiness(hub)).toMatchObject({ ready: true, redis: { status: 'ok' } });
    expect(await metric('hub_publish_path_up')).toBe(0);
    expect(times.reduce((sum, ms) => sum + ms) / times.length).toBeLessThan(400);

    // One attempt after another, but not a storm of them.
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

  it('with Redis away says that the path is down, is ready all the same, and has it back with Redis', async () => {
    await waitFor(isPath('ok'));
    await redis.kill();
    await waitFor(isPath('down'));
    expect(await readiness(hub)).toMatchObject({ ready: true, redis: { status: 'down' } });
    await redis.restart();
    await waitFor(isPath('ok'), { timeoutMs: 20_000 });
  }, 60_000);

  it('of a hub alone, for which no Redis is named, is unused', async () => {
    await using own = await temporaryDatabase();
    await using alone = await startTestHub({ HUB_DB_URL: own.url, LOG_LEVEL: 'error' });
    const { ready, redis: state, publishPath } = await readiness(alone);
    expect(ready).toBe(true);
    // Where a Redis happens to run on the usual port, it is used.
    if (state.status === 'down')
      expect(publishPath).toEqual({ status: 'unused', latencyMs: null, lastOkAt: null });
  });
});
