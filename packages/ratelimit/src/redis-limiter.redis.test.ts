import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisClient, type RedisClient } from '@openclaw/redis-client';
import { randomPrefix, type RedisServer, startRedis, waitFor } from '@openclaw/test-support';
import {
  countCall,
  decideCall,
  parseCountReply,
  unpackSlices,
  windowKeysOf,
} from './count-script.ts';
import { describeRateLimiter } from './limiter.contract.ts';
import { createRateLimiter } from './exact-limiter.ts';

const minute = { limit: 3, windowMs: 60_000 };
const second = 1000;

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

const slicesIn = async (key: string) => {
  const fields = (await redis.send(['HGETALL', key])) as string[];
  const value = (name: string) => fields[fields.indexOf(name) + 1] ?? '';
  const pairs = fields.flatMap((field, at) =>
    at % 2 === 0 && /^\d+$/.test(field) ? [[field, fields[at + 1]]] : [],
  );
  if (fields.includes('newest')) pairs.push([value('newest'), value('requests')]);
  return pairs.sort((a, b) => Number(a[0]) - Number(b[0])).flat();
};

describe('the Redis limiter', () => {
  describeRateLimiter(
    (options) =>
      createRateLimiter({ redis, keys: createKeySchema({ prefix: randomPrefix() }) }, options),
    { propertyRuns: 25 },
  );

  function setUp() {
    const keys = createKeySchema({ prefix: randomPrefix() });
    const names = {
      counter: keys.rateLimit('message', 'alice'),
      window: keys.rateLimitWindow('message', 'alice'),
    };
    const limiter = createRateLimiter({ redis, keys }, { limits: { message: minute } });
    return { keys, names, limiter };
  }
  const ttlOf = async (key: string) => Number(await redis.send(['PTTL', key]));

  it('Rate limiting counters: GET returns the count at the last decision, under the name in the key schema', async () => {
    const { keys, limiter } = setUp();
    expect(keys.rateLimit('message', 'alice')).toBe(`${keys.prefix}ratelimit:message:alice`);
    const seen = [];
    for (let i = 0; i < 4; i += 1) {
      await limiter.consume('message', 'alice');
      seen.push(await redis.send(['GET', keys.rateLimit('message', 'alice')]));
    }
    expect(seen).toEqual(['1', '2', '3', '3']);
  });

  it('Rate limiting counters: after each decision both keys live a minute, within a second', async () => {
    const { names, limiter } = setUp();
    for (let i = 0; i < 4; i += 1) {
      await limiter.consume('message', 'alice');
      for (const key of [names.counter, names.window]) {
        const ttlMs = await ttlOf(key);
        expect(ttlMs).toBeGreaterThan(59 * second);
        expect(ttlMs).toBeLessThanOrEqual(61 * second);
      }
    }
  });

  it('Rate limiting counters: the first decision of each slice renews the TTLs', async () => {
    const { keys, names } = setUp();
    let nowMs = 1_700_000_000_500;
    const limits = { message: { limit: 9, windowMs: 60_000 } };
    const limiter = createRateLimiter({ redis, keys }, { limits, clock: () => nowMs });
    for (let slice = 0; slice < 3; slice += 1) {
      await limiter.consume('message', 'alice');
      nowMs += 400;
      await limiter.consume('message', 'alice');
      for (const key of [names.counter, names.window]) {
        expect(await ttlOf(key)).toBeGreaterThan(60 * second);
        expect(await ttlOf(key)).toBeLessThanOrEqual(61 * second);
        await redis.send(['PEXPIRE', key, 30 * second]);
      }
      nowMs += 600;
    }
  });

  it('Rate limiting counters: DEL of the counter resets the limit', async () => {
    const { names, limiter } = setUp();
    for (let i = 0; i < 4; i += 1) await limiter.consume('message', 'alice');
    await redis.send(['DEL', names.counter]);
    expect(await limiter.count('message', 'alice')).toBe(0);
    expect(await limiter.consume('message', 'alice')).toMatchObject({
      allowed: true,
      remaining: 2,
    });
    expect((await slicesIn(names.window))[1]).toBe('1');
    expect(await slicesIn(names.window)).toHaveLength(2);
  });

  it('counts an evicted window as empty', async () => {
    const { names, limiter } = setUp();
    for (let i = 0; i < 4; i += 1) await limiter.consume('message', 'alice');
    await redis.send(['DEL', names.window]);
    expect(await limiter.consume('message', 'alice')).toMatchObject({
      allowed: true,
      remaining: 2,
    });
  });

  it('writes nothing when the count is only read', async () => {
    const { names, limiter } = setUp();
    expect(await limiter.count('message', 'alice')).toBe(0);
    expect(await redis.send(['EXISTS', names.counter, names.window])).toBe(0);
  });

  it('counts right with a clock that begins at 0, such as performance.now', async () => {
    const { keys } = setUp();
    let nowMs = 1_000;
    const clock = () => (nowMs += 2_000);
    const limiter = createRateLimiter({ redis, keys }, { limits: { message: minute }, clock });
    const remaining = [];
    for (let i = 0; i < 3; i += 1)
      remaining.push((await limiter.consume('message', 'alice')).remaining);
    expect(remaining).toEqual([2, 1, 0]);
    expect(await limiter.count('message', 'alice')).toBe(3);
  });

  it('uses the clock of Redis and not that of this process', async () => {
    const { names, limiter } = setUp();
    await limiter.consume('message', 'alice');
    const [slice] = await slicesIn(names.window);
    const [seconds] = (await redis.send(['TIME'])) as string[];
    expect(Number(seconds) - Number(slice) / 1000).toBeLessThanOrEqual(1);
  });

  it('decides one at a time: of many simultaneous requests exactly the limit is allowed', async () => {
    const { limiter } = setUp();
    const decisions = await Promise.all(
      Array.from({ length: 40 }, () => limiter.consume('message', 'alice')),
    );
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(3);
  });

  it('counts alone while Redis is away, and is degraded', async () => {
    const { keys } = setUp();
    const own = await startRedis();
    const client = createRedisClient({ url: own.url });
    opened.push(
      () => client.close(),
      () => own.stop(),
    );
    await waitFor(() => client.available);
    const limiter = createRateLimiter({ redis: client, keys }, { limits: { message: minute } });
    expect(await limiter.consume('message', 'alice')).toMatchObject({ degraded: false });
    await own.kill();
    const decisions = [];
    for (let i = 0; i < 4; i += 1) decisions.push(await limiter.consume('message', 'alice'));
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
    expect(decisions.every(({ degraded }) => degraded)).toBe(true);
    expect(await limiter.count('message', 'alice')).toBe(3);
    await own.restart();
    await waitFor(() => client.available);
    expect(await limiter.consume('message', 'alice')).toMatchObject({
      allowed: true,
      degraded: false,
    });
  });
});

describe('the script count', () => {
  const nowMs = 1_700_000_000_500;
  function setUp() {
    const keys = createKeySchema({ prefix: randomPrefix() });
    const names = {
      counter: keys.rateLimit('message', 'alice'),
      window: keys.rateLimitWindow('message', 'alice'),
    };
    const windowKeys = windowKeysOf(keys, 'message', 'alice');
    const run = async (requests: [number, number][], decided: boolean, atMs = nowMs) =>
      parseCountReply(
        await redis.run(
          decided
            ? countCall(windowKeys, minute, requests, atMs)
            : decideCall(windowKeys, minute, requests[0]?.[1] ?? null, atMs),
        ),
      );
    return { keys, names, run };
  }

  it('replies with decision, count and time to wait; a second identical call counts again', async () => {
    const { names, run } = setUp();
    expect(await run([[0, 1]], false)).toEqual({
      allowed: true,
      count: 1,
      resetMs: 60_000,
      packed: '',
      blockedMs: 0,
    });
    expect(await run([[0, 1]], false)).toEqual({
      allowed: true,
      count: 2,
      resetMs: 60_000,
      packed: '',
      blockedMs: 0,
    });
    expect(await slicesIn(names.window)).toEqual(['1700000000500', '2']);
    expect(await redis.send(['GET', names.counter])).toBe('2');
  });

  it('counts requests that were decided elsewhere, in the slices of their time, and replies all slices', async () => {
    const { names, run } = setUp();
    await run([[0, 2]], false, nowMs - 10_000);
    const reply = await run(
      [
        [3000, 4],
        [0, 5],
      ],
      true,
    );
    expect(reply).toMatchObject({ allowed: true, count: 11, resetMs: 50_000 });
    expect(unpackSlices(reply.packed)).toEqual([
      [50_000, 2],
      [57_000, 4],
      [60_000, 5],
    ]);
    expect(await redis.send(['GET', names.counter])).toBe('11');
    // The count is 8 above the limit, so nine of the eleven requests must leave the window before the next is allowed.
    expect(await run([[0, 1]], false)).toMatchObject({
      allowed: false,
      count: 11,
      resetMs: 60_000,
    });
  });

  it('drops slices that left the window, and impossible ones', async () => {
    const { names, run } = setUp();
    await run([[0, 1]], false, nowMs - 61_000);
    await redis.send(['HSET', names.window, '1700009999000', 7, 'garbage', 'x']);
    expect(await run([[0, 1]], false)).toMatchObject({ allowed: true, count: 1 });
    expect(await slicesIn(names.window)).toEqual(['1700000000500', '1']);
  });

  // Until a slice leaves the window, the script uses a stored count instead of the slices. Both ways must decide alike.
  it('decides with the short way as the model does, for any calls', async () => {
    const memoryClock = { nowMs };
    const { keys } = setUp();
    const options = { limits: { message: { limit: 9, windowMs: 600 } } };
    const clock = () => memoryClock.nowMs;
    const inRedis = createRateLimiter({ redis, keys }, { ...options, clock });
    const inMemory = createRateLimiter({}, { ...options, clock });
    let seed = 7;
    const random = (max: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % max;
    for (let step = 0; step < 600; step += 1) {
      memoryClock.nowMs += random(4) === 0 ? random(400) : random(9);
      const kind = random(20);
      const call = (limiter: typeof inRedis) =>
        kind === 0
          ? limiter.penalty('message', 'alice', 1 + (step % 3))
          : limiter.consume('message', 'alice', 1 + (step % 2));
      expect([step, await call(inRedis)]).toEqual([step, await call(inMemory)]);
    }
  });

  it('renames a slice for its youngest request, and never for an older one', async () => {
    const { names, run } = setUp();
    await run([[0, 1]], false, nowMs);
    await run([[0, 2]], false, nowMs + 300);
    await run([[200, 4]], true, nowMs + 400);
    expect(await slicesIn(names.window)).toEqual(['1700000000800', '7']);
    // A request leaves the window together with the latest request of its slice.
    expect(await run([], false, nowMs + 60_299)).toMatchObject({ count: 7 });
    expect(await run([], false, nowMs + 60_300)).toMatchObject({ count: 0 });
  });

  it('stores a block in the window with a TTL that covers it, and ends it with the counter', async () => {
    const { keys, names } = setUp();
    const limiter = createRateLimiter({ redis, keys }, { limits: { message: minute } });
    await limiter.block('message', 'alice', 300_000);
    for (const key of [names.counter, names.window]) {
      const ttlMs = Number(await redis.send(['PTTL', key]));
      expect(ttlMs).toBeGreaterThan(299_000);
      expect(ttlMs).toBeLessThanOrEqual(300_000);
    }
    // A decision during the block must not shorten the TTL.
    expect(await limiter.consume('message', 'alice')).toMatchObject({ allowed: false });
    expect(Number(await redis.send(['PTTL', names.window]))).toBeGreaterThan(298_000);
    const other = createRateLimiter({ redis, keys }, { limits: { message: minute } });
    expect(await other.consume('message', 'alice')).toMatchObject({ allowed: false });
    await redis.send(['DEL', names.counter]);
    expect(await other.consume('message', 'alice')).toMatchObject({ allowed: true });
    for (let i = 0; i < 2; i += 1) await limiter.block('message', 'alice', 0);
    expect(await redis.send(['HEXISTS', names.window, 'blocked'])).toBe(0);
    expect(Number(await redis.send(['PTTL', names.window]))).toBeGreaterThan(59_000);
    await redis.send(['DEL', names.counter, names.window]);
    await limiter.block('message', 'alice', 0);
    expect(await redis.send(['EXISTS', names.counter, names.window])).toBe(0);
  });

  it('keeps the window at about sixty numbers, however many requests', async () => {
    const { names, run } = setUp();
    for (let i = 0; i < 200; i += 1) await run([[0, 50]], true, nowMs + i * 1000);
    expect((await slicesIn(names.window)).length / 2).toBeLessThanOrEqual(61);
    expect(await redis.send(['GET', names.counter])).toBe(String(60 * 50));
  });
});
