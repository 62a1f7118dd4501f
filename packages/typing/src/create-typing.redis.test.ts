import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import { createRedisClient } from '@openclaw/redis-client';
import { randomPrefix, startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import { createTyping, createTypingWatch, type TypingOptions } from './index.ts';
import { sharedTypingContract } from './shared-typing.contract.ts';

let server: RedisServer;
let keys: KeySchema;
let endings: (() => Promise<void>)[];
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(() => {
  keys = createKeySchema({ prefix: randomPrefix() });
  endings = [];
});
afterEach(async () => {
  for (const end of endings.reverse()) await end();
});

async function startHub(options: TypingOptions = {}) {
  const redis = createRedisClient({ url: server.url });
  endings.push(() => redis.close());
  await waitFor(() => redis.available);
  const typing = createTyping({ redis, keys }, options);
  endings.push(() => typing.close());
  return { redis, typing };
}

sharedTypingContract('on Redis under the default names', (options) => {
  const redis = createRedisClient({ url: server.url });
  endings.push(() => redis.close());
  return createTyping({ redis }, options);
});

describe('typing over several hubs', () => {
  it('Typing indicators (start → update → stop): hubs see the typing of other hubs', async () => {
    const [{ typing: one }, { typing: two }] = [await startHub(), await startHub()];
    expect(await one.start('c', 'a')).toEqual({ changed: true, degraded: false });
    expect(await two.start('c', 'a')).toEqual({ changed: false, degraded: false });
    expect(await two.list('c')).toEqual({ agents: ['a'], degraded: false });
    expect(await two.stop('c', 'a')).toEqual({ changed: true, degraded: false });
    expect(await one.stop('c', 'a')).toEqual({ changed: false, degraded: false });
  });

  it('stops the agent of a closed connection wherever it typed', async () => {
    const { typing } = await startHub();
    for (const channelId of ['c1', 'c2', 'c3']) await typing.start(channelId, 'a');
    await typing.start('c1', 'b');
    await typing.stop('c2', 'a');
    expect(await typing.stopAll('a')).toEqual({
      stopped: ['c1', 'c3'].map((channelId) => ({ channelId, threadId: null })),
      degraded: false,
    });
    expect(await typing.list('c1')).toEqual({ agents: ['b'], degraded: false });
    expect(await typing.stopAll('a')).toEqual({ stopped: [], degraded: false });
  });

  it('reports once on each hub that typing ended, although nobody stopped it', async () => {
    const ttlMs = 1500;
    const [{ typing: one }, { typing: two }] = [
      await startHub({ ttlMs }),
      await startHub({ ttlMs }),
    ];
    const expired: { hub: number; agentId: string; atMs: number }[] = [];
    const watches = [one, two].map((typing, hub) =>
      createTypingWatch(
        {
          typing,
          onExpired: (_, agentId) => expired.push({ hub, agentId, atMs: Date.now() }),
        },
        { ttlMs, tickMs: 50 },
      ),
    );
    await one.start('c', 'a');
    const startMs = Date.now();
    for (const watch of watches) watch.started('c', 'a');
    await waitFor(() => Date.now() - startMs > 1000);
    expect(await one.start('c', 'a')).toMatchObject({ changed: false });
    const lastMs = Date.now();
    await waitFor(() => expired.length === 2);
    expect(expired.map(({ hub, agentId }) => `${hub} ${agentId}`).sort()).toEqual(['0 a', '1 a']);
    for (const { atMs } of expired) {
      expect(atMs - lastMs).toBeGreaterThan(ttlMs - 100);
      expect(atMs - lastMs).toBeLessThan(ttlMs + 1000);
    }
    expect(watches.map(({ size }) => size)).toEqual([0, 0]);
    watches.forEach((watch) => watch.close());
  });
});

describe('typing while Redis is away', () => {
  it('Redis connection lost (fallback to memory): continues with this process’ own data, and is degraded', async () => {
    const { typing, redis } = await startHub();
    await typing.start('c', 'a');
    await server.kill();
    try {
      await waitFor(() => typing.degraded);
      // This process remembers a start from before the outage, so the next start is a refresh.
      expect(await typing.start('c', 'a')).toEqual({ changed: false, degraded: true });
      expect(await typing.start('c', 'b')).toEqual({ changed: true, degraded: true });
      expect(await typing.list('c')).toEqual({ agents: ['a', 'b'], degraded: true });
      const [left] = await typing.remainingMs([{ channelId: 'c', agentId: 'a' }]);
      expect(left).toBeGreaterThan(9000);
      expect(await typing.stop('c', 'a')).toEqual({ changed: true, degraded: true });
      expect(await typing.stopAll('b')).toEqual({
        stopped: [{ channelId: 'c', threadId: null }],
        degraded: true,
      });
    } finally {
      await server.restart();
    }
    await waitFor(() => redis.available);
    expect(await typing.list('c')).toEqual({ agents: [], degraded: false });
    expect(await typing.start('c', 'a')).toEqual({ changed: true, degraded: false });
  });
});
