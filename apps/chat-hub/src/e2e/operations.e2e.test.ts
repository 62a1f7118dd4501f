import { describe, expect, it } from '@jest/globals';
import { operationsAgentsSchema, operationsSchema, type Operations } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { mintFor } from '../testing/mint.ts';
import { noRedis, startTestHub } from '../testing/test-hub.ts';
import { startTwoHubs } from '../testing/two-hubs.ts';

const secret = 'a-secret-of-more-than-thirty-two-characters';
const { hubA: hub, hubB: other, database, redis } = await startTwoHubs({ LOG_LEVEL: 'silent' });
const ana = closeAfterAll(await hub.connect('ana'));
const ben = closeAfterAll(await hub.connect('ben'));
await ana.call('channel.create', { channelId: 'busy', name: 'The busy one' });
await ben.call('channel.join', { channelId: 'busy' });
for (const socket of [ana, ben])
  await socket.call('subscribe', { topics: [{ channelId: 'busy' }] });

async function snapshot(at = hub): Promise<Operations> {
  const { status, body } = await at.request('eve', 'GET', '/v1/operations');
  expect(status).toBe(200);
  return operationsSchema.strict().parse(body);
}

const until = (is: (operations: Operations) => boolean, what: string, at = hub) =>
  waitFor(
    async () => {
      const operations = await snapshot(at);
      return is(operations) && operations;
    },
    { what, timeoutMs: 15_000, everyMs: 100 },
  );

describe('the operations view of a hub', () => {
  it('counts sends and deliveries with their latency', async () => {
    const before = await snapshot();
    for (let i = 0; i < 20; i++)
      await ana.call('message.send', { channelId: 'busy', content: `${i}` });
    const after = await until(
      ({ counters }) => counters.deliveries >= before.counters.deliveries + 40,
      'forty deliveries',
    );
    expect(after.counters.messages - before.counters.messages).toBe(20);
    expect(after.counters.calls).toBeGreaterThan(before.counters.calls);
    for (const latency of [after.latency.ackMs, after.latency.deliveryMs]) {
      expect(latency?.p50).toBeLessThanOrEqual(latency?.p99 ?? -1);
      expect(latency?.p99).toBeLessThan(5_000);
    }
    expect(after).toMatchObject({
      hubId: hub.hubId,
      sockets: 2,
      agents: 2,
      laggingNow: 0,
      degraded: false,
      database: { status: 'ok', engine: 'sqlite' },
      redis: { status: 'in_use', mode: 'standalone', maxMemoryBytes: 0, evictedKeys: 0 },
      breaker: 'closed',
    });
    expect(after.redis.usedMemoryBytes).toBeGreaterThan(100_000);
    const metrics = await (await fetch(`${hub.url}/metrics`)).text();
    expect(metrics).toMatch(/^hub_messages_total \d\d+$/m);
    expect(metrics).toMatch(/^hub_delivery_seconds_count \d\d+$/m);
  });

  it('lists the busy channels with their numbers', async () => {
    await ana.call('message.send', { channelId: 'busy', content: 'one more' });
    const { channels } = await until(({ channels }) => channels.length > 0, 'a busy channel');
    expect(channels[0]).toMatchObject({ channelId: 'busy', name: 'The busy one', sockets: 2 });
    expect(channels[0]?.deliveriesPerSecond).toBeGreaterThan(channels[0]?.messagesPerSecond ?? 0);
  });

  it('lists the hubs of the system, and marks this one', async () => {
    const { hubs } = await until((found) => found.hubs.length === 2, 'both hubs', other);
    expect(hubs.filter(({ isThis }) => isThis)).toMatchObject([{ hubId: other.hubId }]);
    expect(hubs.map(({ hubId }) => hubId).sort()).toEqual([hub.hubId, other.hubId].sort());
    for (const { lastBeatAgoMs } of hubs) expect(lastBeatAgoMs).toBeLessThan(20_000);
  });

  it('pages the connected agents with their state', async () => {
    await ben.call('presence.set', { status: 'dnd', customStatus: 'reviewing', avatar: '🔍' });
    const page = async (query: string) => {
      const { status, body } = await hub.request('eve', 'GET', `/v1/operations/agents?${query}`);
      expect(status).toBe(200);
      return operationsAgentsSchema.parse(body);
    };
    const first = await page('limit=1');
    expect(first).toMatchObject({
      agents: [{ agentId: 'ana', status: 'online', sockets: 1, channels: 1, isLagging: false }],
      nextCursor: 'ana',
    });
    const second = await page('limit=1&cursor=ana');
    expect(second).toMatchObject({
      agents: [{ agentId: 'ben', status: 'dnd', customStatus: 'reviewing', avatar: '🔍' }],
      nextCursor: null,
    });
    expect(Math.abs((second.agents[0]?.since ?? 0) - Date.now())).toBeLessThan(120_000);
    const bad = await hub.request('eve', 'GET', '/v1/operations/agents?limit=0');
    expect(bad).toMatchObject({ status: 400, body: { error: { code: 'invalid_params' } } });
  });

  it('reports that Redis is away, or that none is configured', async () => {
    await using alone = await startTestHub({
      ...noRedis,
      HUB_DB_URL: database.url,
      LOG_LEVEL: 'silent',
    });
    const { redis: away, degraded } = await snapshot(alone);
    expect({ degraded, ...away }).toMatchObject({
      degraded: true,
      status: 'away',
      latencyMs: null,
      usedMemoryBytes: null,
    });
  });

  it('is for admins without limits only, when tokens are required', async () => {
    await using guarded = await startTestHub({
      HUB_DB_URL: database.url,
      HUB_AUTH: 'jwt',
      HUB_JWT_SECRET: secret,
      HUB_HOST: '127.0.0.1',
      REDIS_URL: redis.url,
      LOG_LEVEL: 'silent',
    });
    const ask = async (claims: object) => {
      const { token } = await mintFor(secret, { sub: 'kim', ttlSeconds: 60, ...claims });
      const answers = ['/v1/operations', '/v1/operations/agents'].map((path) =>
        fetch(`${guarded.url}${path}`, { headers: { authorization: `Bearer ${token}` } }),
      );
      return (await Promise.all(answers)).map(({ status }) => status);
    };
    expect((await fetch(`${guarded.url}/v1/operations`)).status).toBe(401);
    expect(await ask({})).toEqual([403, 403]);
    expect(await ask({ role: 'admin', channels: ['busy'] })).toEqual([403, 403]);
    expect(await ask({ role: 'admin' })).toEqual([200, 200]);
  });

  it('is in the OpenAPI document', async () => {
    const document = (await (await fetch(`${hub.url}/v1/openapi.json`)).json()) as {
      paths: Record<string, { get?: { responses?: Record<string, unknown> } }>;
    };
    for (const path of ['/v1/operations', '/v1/operations/agents'])
      expect(JSON.stringify(document.paths[path]?.get?.responses?.['200'])).toContain('"sockets"');
  });
});
