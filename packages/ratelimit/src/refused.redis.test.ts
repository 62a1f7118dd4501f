import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import { createRedisClient, type RedisClient } from '@openclaw/redis-client';
import {
  randomPrefix,
  startProcess,
  startRedis,
  waitFor,
  type RedisServer,
} from '@openclaw/test-support';
import {
  createLocalRateLimiter,
  createRateLimiter,
  httpRateLimit,
  parseLimit,
  type WhenAway,
} from './index.ts';

const limits = { message: parseLimit('2/60') };
let server: RedisServer;
let keys: KeySchema;
let redis: RedisClient;
beforeEach(async () => {
  server = await startRedis();
  keys = createKeySchema({ prefix: randomPrefix() });
});
afterEach(async () => {
  await redis?.close();
  await server.stop();
});

const full = () => server.command('CONFIG SET maxmemory 1000000 maxmemory-policy noeviction');
const roomy = () => server.command('CONFIG SET maxmemory 0');

describe('limiters on a Redis that refuses to count', () => {
  // The fault: the limiter threw, so its HTTP middleware answered every request with an error. The calls before and
  // after the refusal are the negative control.
  it('decide alone, degraded, and use Redis again when it accepts writes: memory full', async () => {
    redis = createRedisClient({ url: server.url });
    const exact = createRateLimiter({ redis, keys }, { limits });
    const local = createLocalRateLimiter({ redis, keys }, { limits });
    const check = httpRateLimit(exact, {
      action: 'message',
      agentOf: (agentId: string) => agentId,
    });
    expect(await exact.consume('message', 'ann')).toMatchObject({ remaining: 1, degraded: false });
    expect(local.consume('message', 'ben')).toMatchObject({ allowed: true, degraded: false });

    await full();
    // The client does not know about the refusal yet.
    const answers = [];
    for (let n = 0; n < 3; n += 1) answers.push((await check('ann')).allowed);
    expect(answers).toEqual([true, true, false]);
    expect(await exact.consume('message', 'ann')).toMatchObject({ allowed: false, degraded: true });
    await exact.reset('message', 'ann');
    expect(await exact.count('message', 'ann')).toBe(0);
    expect(local.consume('message', 'ben')).toMatchObject({ remaining: 0, degraded: true });
    expect(local.consume('message', 'ben')).toMatchObject({ allowed: false, degraded: true });

    await roomy();
    await waitFor(() => redis.available);
    expect(await exact.consume('message', 'ann')).toMatchObject({ remaining: 0, degraded: false });
    await local.exchange();
    expect(local.consume('message', 'ben')).toMatchObject({ allowed: false, degraded: false });
    await local.close();
  });

  it.each(['-set', '-evalsha -eval'])('decide alone, degraded: ACL %s', async (denied) => {
    await server.command(`ACL SETUSER app on >secret ~* &* +@all ${denied}`);
    redis = createRedisClient({ url: `redis://app:secret@127.0.0.1:${server.port}` });
    await redis.ready();
    const exact = createRateLimiter({ redis, keys }, { limits });
    const local = createLocalRateLimiter({ redis, keys }, { limits });
    const decisions = [];
    for (let n = 0; n < 3; n += 1) decisions.push(await exact.consume('message', 'ann'));
    expect(decisions).toMatchObject([
      { allowed: true, degraded: true },
      { allowed: true, degraded: true },
      { allowed: false, degraded: true },
    ]);
    local.consume('message', 'ben');
    await local.exchange();
    expect(local.consume('message', 'ben')).toMatchObject({ allowed: true, degraded: true });
    expect(local.consume('message', 'ben')).toMatchObject({ allowed: false, degraded: true });

    await server.command('ACL SETUSER app +@all');
    expect(await exact.consume('message', 'ann')).toMatchObject({ degraded: false });
    await local.exchange();
    expect(local.consume('message', 'cem')).toMatchObject({ degraded: false });
    await local.close();
  });
});

describe('whenAway', () => {
  it.each<{ whenAway: WhenAway; allowed: boolean[] }>([
    { whenAway: 'memory', allowed: [true, true, false] },
    { whenAway: 'allow', allowed: [true, true, true] },
    { whenAway: 'refuse', allowed: [false, false, false] },
  ])('decides while Redis is away, and only then: $whenAway', async ({ whenAway, allowed }) => {
    redis = createRedisClient({ url: server.url });
    const exact = createRateLimiter({ redis, keys }, { limits, whenAway });
    const local = createLocalRateLimiter({ redis, keys }, { limits, whenAway });
    expect(await exact.consume('message', 'ann')).toMatchObject({ allowed: true, degraded: false });
    expect(local.consume('message', 'ann')).toMatchObject({ allowed: true, degraded: false });
    await server.kill();
    await waitFor(() => !redis.available);
    const decisions = [];
    for (let n = 0; n < 3; n += 1) decisions.push(await exact.consume('message', 'ann'));
    expect(decisions.map((decision) => decision.allowed)).toEqual(allowed);
    expect(decisions.every(({ degraded }) => degraded)).toBe(true);
    const locally = [0, 1, 2].map(() => local.consume('message', 'ben'));
    expect(locally.map((decision) => decision.allowed)).toEqual(allowed);
    for (const refused of [...decisions, ...locally].filter((one) => !one.allowed)) {
      expect(refused.retryAfterMs).toBeGreaterThan(0);
    }
    await local.close();
  });

  it('is memory, allow or refuse', () => {
    expect(() => createRateLimiter({}, { limits, whenAway: 'maybe' as WhenAway })).toThrow(
      expect.objectContaining({ code: 'invalid_options' }),
    );
  });
});

// The race: each process calls before its client has a connection. Each counted alone, so all calls were allowed.
it('limits processes that live for one call: of four with a limit of two, two are allowed', async () => {
  const program = `
    import { createKeySchema } from '@openclaw/key-schema';
    import { createRateLimiter, parseLimit } from '@openclaw/ratelimit';
    import { createRedisClient } from '@openclaw/redis-client';
    const redis = createRedisClient({ url: '${server.url}', connectTimeoutMs: 20_000 });
    const keys = createKeySchema({ prefix: '${keys.prefix}' });
    const limiter = createRateLimiter({ redis, keys }, { limits: { message: parseLimit('2/60') } });
    const { allowed, degraded } = await limiter.consume('message', 'ann');
    console.log(JSON.stringify({ allowed, degraded }));
    await redis.close();
  `;
  const children = [1, 2, 3, 4].map(() =>
    startProcess(
      process.execPath,
      ['--conditions=@openclaw/source', '--input-type=module', '-e', program],
      { cwd: import.meta.dirname },
    ),
  );
  await waitFor(() => children.every((child) => child.output().includes('}')), {
    timeoutMs: 25_000,
  });
  const decisions = children.map((child) => JSON.parse(child.output().trim()));
  expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(2);
  expect(decisions.every(({ degraded }) => degraded === false)).toBe(true);
  await Promise.all(children.map((child) => child.stop('SIGKILL')));
}, 30_000);
