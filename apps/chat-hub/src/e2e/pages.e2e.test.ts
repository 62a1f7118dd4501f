import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Message } from '@openclaw/protocol';
import { createKeySchema } from '@openclaw/key-schema';
import { startRedis, waitFor, type RedisServer, type RpcSocket } from '@openclaw/test-support';
import { range, seqsOf } from '../testing/seqs.ts';
import { startTestHub, temporaryDatabase, type TestHub } from '../testing/test-hub.ts';
import { describePages } from './pages.contract.ts';

describePages('SQLite', async () => {
  const database = await temporaryDatabase();
  return { url: database.url, stop: () => database.remove() };
});

describe('the newest page in the cache', () => {
  let redis: RedisServer;
  let hub: TestHub;
  let database: Awaited<ReturnType<typeof temporaryDatabase>>;
  let ana: RpcSocket;

  beforeAll(async () => {
    redis = await startRedis();
    database = await temporaryDatabase();
    hub = await startTestHub({ REDIS_URL: redis.url, HUB_DB_URL: database.url });
    await waitFor(() => hub.redis.available, { what: 'Redis' });
    ana = await hub.connect('ana');
  });
  afterAll(async () => {
    await ana?.close();
    await hub?.close();
    await database?.remove();
    await redis?.stop();
  });

  // Invariant: the cached page is bounded in bytes, because every reader parses it.
  it.each([
    ['kept', 4_000, true],
    ['not-kept', 8_000, false],
  ])('is %s when it holds 50 messages of %i bytes', async (channelId, bytes, isCached) => {
    await ana.call('channel.create', { channelId, name: channelId });
    for (const n of range(1, 60)) {
      await ana.call('message.send', { channelId, content: String(n).padEnd(bytes, 'x') });
    }
    const key = createKeySchema().recentMessages(channelId);
    const cachedBytes = async () => Number(await hub.redis.send(['STRLEN', key]));
    for (const limit of [50, 50, 10, 1]) {
      const { messages, hasMore } = await ana.call('message.history', { channelId, limit });
      expect(seqsOf(messages)).toEqual(range(62 - limit, 61));
      expect(hasMore).toBe(true);
      if (isCached) await waitFor(async () => (await cachedBytes()) > 0, { what: 'the fill' });
    }
    expect(await cachedBytes()).toBeLessThan(262_144);
    expect((await cachedBytes()) > 0).toBe(isCached);
  });

  // During an upgrade, a hub of an earlier release may have cached the page. The messages in such a page lack the
  // fields that were added later.
  it('is read from the store when an earlier release cached it', async () => {
    const channelId = 'upgraded';
    await ana.call('channel.create', { channelId, name: channelId });
    await ana.call('message.send', { channelId, content: 'hello' });
    const history = async (of: RpcSocket) =>
      (await of.call('message.history', { channelId, limit: 50 })).messages;
    const present = await history(ana);
    const key = createKeySchema().recentMessages(channelId);
    await waitFor(
      async () => {
        await history(ana);
        return Number(await hub.redis.send(['STRLEN', key])) > 0;
      },
      { what: 'the fill' },
    );
    const old = present.map(({ senderKind: _kind, state: _state, ...rest }: Message) => rest);
    await hub.redis.send(['SET', key, JSON.stringify(old), 'PX', '60000']);
    // A hub that starts now has no copy in its memory, so it reads the page from Redis.
    await using next = await startTestHub({ REDIS_URL: redis.url, HUB_DB_URL: database.url });
    await waitFor(() => next.redis.available, { what: 'Redis' });
    const back = await next.connect('ana');
    expect(await history(back)).toEqual(present);
    await back.close();
  });
});
