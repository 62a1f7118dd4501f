import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisClient, type RedisClient } from '@openclaw/redis-client';
import { randomPrefix, type RedisServer, startRedis, waitFor } from '@openclaw/test-support';
import { createRateLimiter } from './exact-limiter.ts';
import { createLocalRateLimiter } from './local-limiter.ts';

const limits = { message: { limit: 20, windowMs: 60_000 } };

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

function setUp(client = redis) {
  const keys = createKeySchema({ prefix: randomPrefix() });
  // The test itself starts the exchanges.
  const options = { limits, exchangeMs: 3_600_000 };
  const [here, there] = [0, 1].map(() => createLocalRateLimiter({ redis: client, keys }, options));
  if (!here || !there) throw new Error('two limiters were made');
  const use = (limiter: typeof here, times: number) =>
    Array.from({ length: times }, () => limiter.consume('message', 'alice')).filter(
      ({ allowed }) => allowed,
    ).length;
  const counter = keys.rateLimit('message', 'alice');
  return { keys, here, there, use, counter };
}

it('Rate limiting counters: GET returns the count of all processes within one exchange', async () => {
  const { here, there, use, counter } = setUp();
  use(here, 5);
  use(there, 7);
  await here.exchange();
  expect(await redis.send(['GET', counter])).toBe('5');
  await there.exchange();
  expect(await redis.send(['GET', counter])).toBe('12');
  use(here, 1);
  await here.exchange();
  expect(await redis.send(['GET', counter])).toBe('13');
  // `here` now knows the requests of `there`: 7 of 20 are left.
  expect(use(here, 20)).toBe(7);
});

it('writes both keys with a TTL of a minute, and does not touch them when there is nothing to add', async () => {
  const { keys, here, use, counter } = setUp();
  use(here, 1);
  await here.exchange();
  for (const key of [counter, keys.rateLimitWindow('message', 'alice')]) {
    const ttlMs = Number(await redis.send(['PTTL', key]));
    expect(ttlMs).toBeGreaterThan(59_000);
    expect(ttlMs).toBeLessThanOrEqual(61_000);
  }
  use(here, 19);
  await here.exchange();
  await redis.send(['PEXPIRE', counter, 30_000]);
  expect(use(here, 1)).toBe(0);
  await here.exchange();
  expect(Number(await redis.send(['PTTL', counter]))).toBeLessThanOrEqual(30_000);
});

it('shares its window with the exact limiter', async () => {
  const { keys, here, use } = setUp();
  const exact = createRateLimiter({ redis, keys }, { limits });
  use(here, 19);
  await here.exchange();
  expect(await exact.consume('message', 'alice')).toMatchObject({ allowed: true, remaining: 0 });
  expect(await exact.consume('message', 'alice')).toMatchObject({ allowed: false });
});

it('applies a block and a penalty of the exact limiter from the next exchange', async () => {
  const { keys, here, use } = setUp();
  const exact = createRateLimiter({ redis, keys }, { limits });
  use(here, 1);
  await exact.penalty('message', 'alice', 15);
  await here.exchange();
  expect(use(here, 25)).toBe(4);
  await exact.reset('message', 'alice');
  await exact.block('message', 'alice', 60_000);
  await here.exchange();
  expect(here.consume('message', 'alice')).toMatchObject({ allowed: false });
  await exact.block('message', 'alice', 0);
  await here.exchange();
  expect(here.consume('message', 'alice')).toMatchObject({ allowed: true });
});

// The fault: an exchange moved requests to a later slice, so an agent was still refused after `retryAfterMs`.
it('allows a request after retryAfterMs, however the clocks and slices of process and Redis differ', async () => {
  for (let run = 0; run < 40; run += 1) {
    const times = { nowMs: 1_700_000_000_000 + 37 * run, redisMs: 1_600_000_000_000 + 411 * run };
    const keys = createKeySchema({ prefix: randomPrefix() });
    const options = { limits: { message: { limit: 3, windowMs: 60_000 } }, exchangeMs: 3_600_000 };
    const limiter = createLocalRateLimiter(
      { redis, keys },
      { ...options, clock: () => times.nowMs, redisClock: () => times.redisMs },
    );
    const wait = (ms: number) => {
      times.nowMs += ms;
      times.redisMs += ms;
    };
    for (let i = 0; i < 3; i += 1) {
      limiter.consume('message', 'alice');
      wait(17 * run + 1);
      if (run % 3 === 0) await limiter.exchange();
    }
    const { retryAfterMs } = limiter.consume('message', 'alice');
    const halfMs = Math.floor(retryAfterMs / 2);
    wait(halfMs);
    await limiter.exchange();
    expect(limiter.stats.exchangeFailures).toBe(0);
    expect(limiter.consume('message', 'alice')).toMatchObject({ allowed: false });
    wait(retryAfterMs - halfMs);
    await limiter.exchange();
    expect(limiter.consume('message', 'alice')).toMatchObject({ allowed: true });
    await limiter.close();
  }
});

it('exchanges with clocks that have fractions of a millisecond', async () => {
  const keys = createKeySchema({ prefix: randomPrefix() });
  let nowMs = 1_700_000_000_000.25;
  const clock = () => (nowMs += 0.3);
  const options = { limits, exchangeMs: 3_600_000, clock, redisClock: clock };
  const limiter = createLocalRateLimiter({ redis, keys }, options);
  const exact = createRateLimiter({ redis, keys }, { limits, clock });
  for (let i = 0; i < 5; i += 1) limiter.consume('message', 'alice');
  await limiter.exchange();
  expect(limiter.stats).toMatchObject({ exchanges: 1, exchangeFailures: 0 });
  await exact.block('message', 'alice', 1000);
  expect(await exact.consume('message', 'alice')).toMatchObject({
    allowed: false,
    degraded: false,
  });
  await limiter.close();
});

it('is reset within one exchange by DEL of the counter', async () => {
  const { here, use, counter } = setUp();
  expect(use(here, 25)).toBe(20);
  await here.exchange();
  expect(use(here, 1)).toBe(0);
  await redis.send(['DEL', counter]);
  await here.exchange();
  expect(use(here, 25)).toBe(20);
});

it('counts alone while Redis is killed, and shares again when it is back', async () => {
  const own = await startRedis();
  const client = createRedisClient({ url: own.url });
  opened.push(
    () => client.close(),
    () => own.stop(),
  );
  await waitFor(() => client.available);
  const { here, there, use, counter } = setUp(client);
  use(here, 2);
  await here.exchange();
  await own.kill();
  await waitFor(() => !client.available);
  expect(use(here, 25)).toBe(18);
  expect(use(there, 25)).toBe(20);
  await here.exchange();
  await own.restart();
  await waitFor(() => client.available);
  await here.exchange();
  await there.exchange();
  // Redis restarted empty and gets only the requests that were not sent before.
  expect(await client.send(['GET', counter])).toBe('38');
  expect(use(there, 1)).toBe(0);
});
