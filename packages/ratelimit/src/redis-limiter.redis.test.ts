import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisClient, type RedisClient } from '@openclaw/redis-client';
import { randomPrefix, type RedisServer, startRedis, waitFor } from '@openclaw/test-support';
import { countCall, parseCountReply, unpackSlices, windowKeysOf } from './count-script.ts';
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

  it('Rate limiting counters: both keys live a minute, within a second, renewed by each decision', async () => {
    const { names, limiter } = setUp();
    for (let i = 0; i < 4; i += 1) {
      await limiter.consume('message', 'alice');
      for (const key of [names.counter, names.window]) {
        const ttlMs = await ttlOf(key);
        expect(ttlMs).toBeGreaterThan(59 * second);
        expect(ttlMs).toBeLessThanOrEqual(61 * second);
        await redis.send(['PEXPIRE', key, 30 * second]);
      }
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
    const slices = (await redis.send(['HVALS', names.window])) as string[];
    expect(slices).toEqual(['1']);
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

  it('uses the clock of Redis and not that of this process', async () => {
    const { names, limiter } = setUp();
    await limiter.consume('message', 'alice');
    const [slice] = (await redis.send(['HKEYS', names.window])) as string[];
    const [seconds] = (await redis.send(['TIME'])) as string[];
    expect(Number(seconds) - Number(slice)).toBeLessThanOrEqual(1);
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
        await redis.run(countCall(windowKeys, minute, requests, { decided, nowMs: atMs })),
      );
    return { names, run };
  }

  it('replies with decision, count and time to wait; a second identical call counts again', async () => {
    const { names, run } = setUp();
    expect(await run([[0, 1]], false)).toEqual({
      allowed: true,
      count: 1,
      resetMs: 60_500,
      packed: '',
    });
    expect(await run([[0, 1]], false)).toEqual({
      allowed: true,
      count: 2,
      resetMs: 60_500,
      packed: '',
    });
    expect(await redis.send(['HGETALL', names.window])).toEqual(['1700000000', '2']);
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
    expect(reply).toMatchObject({ allowed: true, count: 11, resetMs: 50_500 });
    expect(unpackSlices(reply.packed)).toEqual([
      [50_500, 2],
      [57_500, 4],
      [60_500, 5],
    ]);
    expect(await redis.send(['GET', names.counter])).toBe('11');
    // The count is 8 above the limit, so nine of the eleven requests must leave the window before another one is
    // allowed.
    expect(await run([[0, 1]], false)).toMatchObject({
      allowed: false,
      count: 11,
      resetMs: 60_500,
    });
  });

  it('drops slices that left the window, and impossible ones', async () => {
    const { names, run } = setUp();
    await run([[0, 1]], false, nowMs - 61_000);
    await redis.send(['HSET', names.window, '1700009999', 7, 'garbage', 'x']);
    expect(await run([[0, 1]], false)).toMatchObject({ allowed: true, count: 1 });
    expect(await redis.send(['HGETALL', names.window])).toEqual(['1700000000', '1']);
  });

  it('keeps the window at about sixty numbers, however many requests', async () => {
    const { names, run } = setUp();
    for (let i = 0; i < 200; i += 1) await run([[0, 50]], true, nowMs + i * 1000);
    expect(Number(await redis.send(['HLEN', names.window]))).toBeLessThanOrEqual(61);
    expect(await redis.send(['GET', names.counter])).toBe(String(61 * 50));
  });
});
