import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisClient, type RedisClient } from '@openclaw/redis-client';
import { randomPrefix, type RedisServer, startRedis, waitFor } from '@openclaw/test-support';
import { createTestDatabase, describeCache, stalled, type TestCache } from './cache.contract.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './options.ts';

let server: RedisServer;
let redis: RedisClient;
const opened: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await startRedis();
  redis = createRedisClient({ url: server.url });
  await waitFor(() => redis.available, { what: 'Redis' });
});
afterAll(async () => {
  for (const close of opened) await close();
  await redis.close();
  await server.stop();
});

const number = async (name: string, ...args: string[]) => Number(await redis.send([name, ...args]));

function setUp(options?: CacheOptions, client = redis) {
  const keys = createKeySchema({ prefix: randomPrefix() });
  const create = (): TestCache => createCache({ redis: client, keys }, options);
  const cache = create();
  const database = createTestDatabase();
  const publish = async (type: string, seq: number) => {
    const outdated = cache.invalidates(type, 'ops');
    if (outdated.length > 0) await client.send(['DEL', ...outdated]);
    await client.send(['SET', keys.sequence('ops'), seq]);
  };
  const readAll = async (from = cache) => {
    await from.recentMessages.read('ops', database.recent);
    await from.channel.read('ops', database.channel);
    await from.members.read('ops', database.members);
    await from.close();
  };
  return { keys, cache, create, database, publish, readAll };
}

describe('the Redis cache', () => {
  const keysOf = new WeakMap<TestCache, ReturnType<typeof createKeySchema>>();
  describeCache(
    (options) => {
      const keys = createKeySchema({ prefix: randomPrefix() });
      const cache: TestCache = createCache({ redis, keys }, options);
      keysOf.set(cache, keys);
      return cache;
    },
    // Acts as another process: this process does not receive the event.
    async (cache, type, channelId, seq) => {
      const keys = keysOf.get(cache);
      if (!keys) throw new Error('the cache was made here');
      const outdated = cache.invalidates(type, channelId);
      if (outdated.length > 0) await redis.send(['DEL', ...outdated]);
      await redis.send(['SET', keys.sequence(channelId), seq]);
    },
  );

  it('TTL expiry: recent messages live 300 s, channel and members 3600 s, within a second; the head does not expire', async () => {
    const { keys, publish, readAll } = setUp();
    await publish('collaboration.event', 5);
    await readAll();
    const expected = [
      [keys.recentMessages('ops'), 300_000],
      [keys.channel('ops'), 3_600_000],
      [keys.channelMembers('ops'), 3_600_000],
    ] as const;
    for (const [key, ttlMs] of expected) {
      const left = await number('PTTL', key);
      expect(left).toBeGreaterThan(ttlMs - 1000);
      expect(left).toBeLessThanOrEqual(ttlMs);
    }
    expect(await number('PTTL', keys.sequence('ops'))).toBe(-1);
  });

  it('stores values under the names and in the types of the key schema', async () => {
    const { keys, publish, readAll } = setUp();
    await publish('collaboration.event', 5);
    await readAll();
    const get = async (name: string): Promise<unknown> =>
      JSON.parse(String(await redis.send(['GET', keys.prefix + name])));
    expect(await get('messages:ops:recent')).toEqual([{ id: 'm0', content: 'hello' }]);
    expect(await get('channel:ops')).toEqual({ channelId: 'ops', topic: 'ops', head: 5 });
    const members = await redis.send(['SMEMBERS', `${keys.prefix}channel:ops:members`]);
    expect((members as string[]).sort()).toEqual(['alice', 'bob']);
    expect(await number('SISMEMBER', keys.channelMembers('ops'), 'alice')).toBe(1);
  });

  it('answers SISMEMBER correctly for an empty set of members too', async () => {
    const { keys, publish, readAll, database } = setUp();
    database.state.members = [];
    await publish('collaboration.event', 5);
    await readAll();
    expect(await number('EXISTS', keys.channelMembers('ops'))).toBe(1);
    expect(await number('SISMEMBER', keys.channelMembers('ops'), 'alice')).toBe(0);
  });

  it('stores thousands of members', async () => {
    const { cache, publish, readAll, database } = setUp();
    database.state.members = Array.from({ length: 9_999 }, (_, index) => `agent-${index}`);
    await publish('collaboration.event', 5);
    await readAll();
    const { value } = await cache.members.read('ops', database.members);
    expect(new Set(value)).toEqual(new Set(database.state.members));
    expect(cache.members.stats.hits).toBe(1);
  });

  it('shares its values among processes', async () => {
    const { create, publish, readAll, database } = setUp();
    await publish('collaboration.event', 5);
    await readAll();
    await readAll(create());
    expect(database.state.loads).toBe(3);
  });

  // Negative control of the race in the contract: the fill is an unconditional SET.
  it('would serve the text from before the edit if the fill were a plain SET', async () => {
    const { cache, keys, database, publish } = setUp();
    await publish('collaboration.event', 5);
    const slow = stalled(database.recent);
    const unprotected = slow.load().then(async ({ value }) => {
      await redis.send(['SET', keys.recentMessages('ops'), JSON.stringify(value), 'PX', 300_000]);
    });
    await slow.hasRead;
    Object.assign(database.state, { contents: ['edited'], head: 6 });
    await publish('channel.message.edit', 6);
    slow.goOn();
    await unprotected;
    const { value } = await cache.recentMessages.read('ops', database.recent);
    expect(value[0]?.content).toBe('hello');
  });

  // The race of the contract, but another process drops the value.
  it('refuses the fill of a slow reader in another process after a drop with a head', async () => {
    const { cache, create, database, publish } = setUp();
    await publish('collaboration.event', 5);
    const slow = stalled(database.recent);
    const reading = cache.recentMessages.read('ops', slow.load);
    await slow.hasRead;
    Object.assign(database.state, { contents: ['found in the log'], head: 6 });
    await create().drop([{ channelId: 'ops', head: 6 }]);
    slow.goOn();
    await reading;
    await cache.close();
    expect(cache.recentMessages.stats).toMatchObject({ fills: 0, refusedFills: 1 });
    const { value } = await cache.recentMessages.read('ops', database.recent);
    expect(value[0]?.content).toBe('found in the log');
  });

  it.each([
    ['no JSON', ['SET', '{"half']],
    ['another shape', ['SET', '{"not":"an array"}']],
    ['elements of another shape', ['SET', '["text"]']],
    ['another type', ['SADD', 'alice']],
  ])('treats %s as a miss, and replaces it', async (_, [command, value]) => {
    const { cache, keys, database, publish, readAll } = setUp();
    await publish('collaboration.event', 5);
    await redis.send([command!, keys.recentMessages('ops'), value!]);
    await readAll();
    expect(cache.recentMessages.stats).toMatchObject({ hits: 0, misses: 1, fills: 1 });
    expect((await cache.recentMessages.read('ops', database.recent)).value[0]?.content).toBe(
      'hello',
    );
    expect(cache.recentMessages.stats.hits).toBe(1);
  });

  it('deletes and counts corrupt values, even when the fill is refused', async () => {
    const { cache, keys, readAll } = setUp();
    await redis.send(['SET', keys.sequence('ops'), 9]);
    await redis.send(['SET', keys.recentMessages('ops'), '[1]']);
    await redis.send(['SET', keys.channel('ops'), '[]']);
    await redis.send(['SET', keys.channelMembers('ops'), 'no set']);
    await readAll();
    for (const view of [cache.recentMessages, cache.channel, cache.members]) {
      expect(view.stats).toMatchObject({ corrupt: 1, misses: 1, fills: 0 });
    }
    const left = [
      'EXISTS',
      keys.recentMessages('ops'),
      keys.channel('ops'),
      keys.channelMembers('ops'),
    ];
    expect(await redis.send(left as [string, ...string[]])).toBe(0);
  });

  it('treats a value as corrupt that isChannel or isMessage refuses', async () => {
    const { cache, readAll, publish } = setUp({
      isChannel: (value) => 'name' in value,
      isMessage: (value) => 'text' in value,
    });
    await publish('collaboration.event', 5);
    await readAll();
    await readAll();
    expect(cache.channel.stats.corrupt).toBe(1);
    expect(cache.recentMessages.stats.corrupt).toBe(1);
  });

  it('reads from the loader while Redis is away, rejects a drop, and uses Redis when it is back', async () => {
    const own = await startRedis();
    const client = createRedisClient({ url: own.url });
    opened.push(
      () => client.close(),
      () => own.stop(),
    );
    await waitFor(() => client.available);
    const { cache, publish, readAll, database } = setUp({}, client);
    await publish('collaboration.event', 5);
    await readAll();
    await own.kill();
    database.state.contents = ['while away'];
    expect((await cache.recentMessages.read('ops', database.recent)).value[0]?.content).toBe(
      'while away',
    );
    expect(cache.recentMessages.stats).toMatchObject({ bypassed: 1, fills: 1 });
    expect(cache.recentMessages.readStale('ops')?.value[0]?.content).toBe('while away');
    await expect(cache.drop(['ops'])).rejects.toMatchObject({ code: 'unavailable' });
    expect(cache.recentMessages.readStale('ops')).toBeNull();
    await own.restart();
    await waitFor(() => client.available);
    for (let i = 0; i < 3; i += 1) await readAll();
    expect(cache.recentMessages.stats).toMatchObject({ hits: 1, fills: 2 });
  });

  it('loses nothing but speed when Redis evicts everything it can', async () => {
    const own = await startRedis({
      args: ['--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru'],
    });
    const client = createRedisClient({ url: own.url });
    opened.push(
      () => client.close(),
      () => own.stop(),
    );
    await waitFor(() => client.available);
    const { cache } = setUp({}, client);
    const wrong: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 1500; i += 1) {
        const channelId = `channel-${i}`;
        const value = [{ id: channelId, content: `${channelId} `.repeat(100) }];
        const load = async () => ({ value, head: i });
        const read = await cache.recentMessages.read(channelId, load);
        if (read.value[0]?.id !== channelId || read.head !== i) wrong.push(channelId);
      }
      await cache.close();
    }
    expect(await own.command('INFO stats')).toMatch(/evicted_keys:[1-9]/);
    expect(wrong).toEqual([]);
  });
});

describe('the scripts', () => {
  it('fill replies 1 filled, 0 outdated, -1 head stored, and the same when repeated', async () => {
    const { cache, keys, database, publish } = setUp();
    const stats = cache.recentMessages.stats;
    const readAt = async (head: number) => {
      await redis.send(['DEL', keys.recentMessages('ops')]);
      database.state.head = head;
      await cache.recentMessages.read('ops', database.recent);
      await cache.close();
      return [stats.fills, stats.refusedFills, await redis.send(['GET', keys.sequence('ops')])];
    };
    expect(await readAt(5)).toEqual([0, 1, '5']);
    expect(await readAt(5)).toEqual([1, 1, '5']);
    expect(await readAt(5)).toEqual([2, 1, '5']);
    // Head 6 was committed and its publish was lost.
    expect(await readAt(6)).toEqual([2, 2, '6']);
    expect(await readAt(6)).toEqual([3, 2, '6']);
    await publish('channel.message', 8);
    expect(await readAt(7)).toEqual([3, 3, '8']);
    expect(await readAt(7)).toEqual([3, 4, '8']);
    expect(await redis.send(['EXISTS', keys.recentMessages('ops')])).toBe(0);
  });

  it('drop raises the head and never lowers it, and without a head leaves it unchanged', async () => {
    const { cache, keys, readAll, publish } = setUp();
    await publish('collaboration.event', 5);
    await readAll();
    const headAfter = async (...dropped: Parameters<TestCache['drop']>) => {
      await cache.drop(...dropped);
      return redis.send(['GET', keys.sequence('ops')]);
    };
    expect(await headAfter(['ops'])).toBe('5');
    expect(await headAfter([{ channelId: 'ops', head: 7 }])).toBe('7');
    expect(await headAfter([{ channelId: 'ops', head: 7 }])).toBe('7');
    expect(await headAfter([{ channelId: 'ops', head: 6 }])).toBe('7');
    expect(await headAfter(['ops'], { forgetHeads: true })).toBeNull();
  });

  it('drop handles thousands of channels', async () => {
    const { cache, keys } = setUp();
    const channels = Array.from({ length: 2500 }, (_, i) => ({ channelId: `c${i}`, head: i }));
    await cache.drop(channels);
    expect(await redis.send(['GET', keys.sequence('c2499')])).toBe('2499');
  });
});
