import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createCache } from '@openclaw/cache';
import { createRedisEventBus, type EventBus } from '@openclaw/events';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisLeaseStore } from '@openclaw/presence';
import { encodeEnvelope } from '@openclaw/protocol';
import { createLocalRateLimiter, createRateLimiter } from '@openclaw/ratelimit';
import { createRedisClient, type RedisClient } from '@openclaw/redis-client';
import { waitFor } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { createRedisTyping } from '@openclaw/typing';
import { redisCli } from './redis-cli.ts';
import { startByScript, type StartedScript } from './start-script.ts';

const admin = { user: 'admin', password: 'admin-secret' };
const keys = createKeySchema();
const limits = { message: { limit: 2, windowMs: 60_000 } };
const state = { status: 'online', customStatus: null, avatar: null } as const;

const scope = suiteScope();
let server: StartedScript;
let redis: RedisClient;

beforeAll(async () => {
  server = await scope.use(
    startByScript('prod', {
      REDIS_PASSWORD: 'hub-secret',
      REDIS_ADMIN_PASSWORD: admin.password,
    }),
  );
  redis = createRedisClient({ host: '127.0.0.1', port: server.port, password: 'hub-secret' });
  scope.defer(() => redis.close());
  await waitFor(() => redis.available && redis.subscriber.connected, { what: 'the connection' });
});
beforeEach(() => redisCli(server.port, ['ACL', 'LOG', 'RESET'], admin));

// Redis logs each denied command in its ACL LOG, even if the package ignores the denial.
const denied = () => redisCli(server.port, ['ACL', 'LOG'], admin);

describe('with the rights of the hub', () => {
  it('a denied command is in the ACL LOG', async () => {
    await expect(redis.send(['FLUSHALL'])).rejects.toMatchObject({ code: 'rejected' });
    expect(await denied()).toContain('flushall');
  });

  it('events are published and heard', async () => {
    const publisher: EventBus = createRedisEventBus({ redis, keys });
    const listener = createRedisEventBus({ redis, keys });
    const heard: string[] = [];
    await listener.subscribeAllChannels((event) => heard.push(`all ${event.id}`));
    await listener.subscribeChannel('c1', (event) => heard.push(`channel ${event.id}`));
    await listener.subscribeAgent('a1', (event) => heard.push(`agent ${event.id}`));
    const event = encodeEnvelope({
      id: 'e1',
      timestamp: 1,
      senderId: 'a1',
      senderKind: null,
      channelId: 'c1',
      epoch: 'one',
      event: { type: 'collaboration.event', channelId: 'c1', name: 'n', payload: {} },
      seq: await publisher.nextSeq('c1'),
    });
    const outdated = [keys.recentMessages('c1')];
    await publisher.publish(event, { channel: true, agents: ['a1'] }, outdated);
    await waitFor(() => heard.length === 3, { what: 'the event on three subscriptions' });
    await publisher.close();
    await listener.close();
    expect(await denied()).toBe('');
  });

  it('presence joins, renews, lists, changes, reaps and leaves', async () => {
    const presence = createRedisLeaseStore({ redis, keys });
    const lease = { agentId: 'a1', hubId: 'h1', sessionId: 's1' };
    expect(await presence.join('c1', lease)).toMatchObject({ agentId: 'a1', status: 'online' });
    await presence.renew([{ channelId: 'c1', lease, state }]);
    expect((await presence.list('c1')).presences).toHaveLength(1);
    expect(await presence.get('c1', 'a1')).toMatchObject({ status: 'online' });
    expect(await presence.update(['c1'], 'a1', { ...state, status: 'dnd' })).toHaveLength(1);
    expect(await presence.reap(['c1'])).toEqual([]);
    expect(await presence.leave('c1', lease)).toMatchObject({ status: 'offline' });
    await presence.close();
    expect(await denied()).toBe('');
  });

  it('typing starts, lists and stops', async () => {
    const typing = createRedisTyping({ redis, keys });
    expect(await typing.start('c1', 'a1')).toBe(true);
    expect(await typing.list('c1')).toEqual(['a1']);
    expect(await typing.lastStartMs('c1', 'a1')).toBeGreaterThan(0);
    expect(await typing.remainingMs([{ channelId: 'c1', agentId: 'a1' }])).toHaveLength(1);
    expect(await typing.stop('c1', 'a1')).toBe(true);
    await typing.close();
    expect(await denied()).toBe('');
  });

  it('the cache fills, answers and drops', async () => {
    const cache = createCache<{ head: number }, { id: string }>({ redis, keys });
    // A read returns before its value is cached, so the reads are repeated until each view has a hit.
    await waitFor(
      async () => {
        await cache.recentMessages.read('c2', async () => ({ head: 3, value: [{ id: 'm1' }] }));
        await cache.members.read('c2', async () => ({ head: 3, value: ['a1'] }));
        await cache.channel.read('c2', async () => ({ head: 3, value: { head: 3 } }));
        const views = [cache.recentMessages, cache.members, cache.channel];
        return views.every((view) => view.stats.hits > 0);
      },
      { what: 'a hit of each view' },
    );
    await cache.drop([{ channelId: 'c2', head: 4 }]);
    await cache.drop([{ channelId: 'c2', head: 4 }], { forgetHeads: true });
    await cache.close();
    expect(await denied()).toBe('');
  });

  it('limits count, refuse, exchange and are reset', async () => {
    const exact = createRateLimiter({ redis, keys }, { limits });
    const local = createLocalRateLimiter({ redis, keys }, { limits });
    await exact.consume('message', 'a1');
    await exact.consume('message', 'a1');
    expect(await exact.consume('message', 'a1')).toMatchObject({ allowed: false });
    expect(await exact.count('message', 'a1')).toBe(2);
    await exact.reset('message', 'a1');
    expect(local.consume('message', 'a1')).toMatchObject({ allowed: true });
    await local.exchange();
    expect(await exact.count('message', 'a1')).toBe(1);
    expect(local.stats.exchangeFailures).toBe(0);
    await local.close();
    await exact.close();
    expect(await denied()).toBe('');
  });
});
