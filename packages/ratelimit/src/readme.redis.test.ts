import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createRedisClient } from '@openclaw/redis-client';
import { createRateLimiter, parseLimit } from './index.ts';
import { type RedisServer, startRedis } from '@openclaw/test-support';

let server: RedisServer;
beforeAll(async () => void (server = await startRedis()));
afterAll(() => server.stop());

it('does what the README says', async () => {
  const redis = createRedisClient({ url: server.url });
  const limits = { message: parseLimit('600/60'), reaction: parseLimit('60/60') };
  const limiter = createRateLimiter({ redis }, { limits });
  const decision = await limiter.consume('message', 'backend-architect');
  if (!decision.allowed) throw new Error(`come back in ${decision.retryAfterMs} ms`);
  expect(decision).toMatchObject({ limit: 600, remaining: 599, degraded: false });
  expect(await redis.send(['GET', 'openclaw:ratelimit:message:backend-architect'])).toBe('1');
  await redis.close();
});
