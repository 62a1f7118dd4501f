import { expect, it } from '@jest/globals';
import { createLocalRateLimiter } from './local-limiter.ts';
import { createMemoryRateLimiter } from './exact-limiter.ts';
import { methodRateLimit } from './method.ts';

const limits = {
  message: { limit: 1, windowMs: 60_000 },
  typing: { limit: 1, windowMs: 60_000 },
};
const clock = () => 1_700_000_000_000;
const actionOf = (method: string) =>
  method === 'message.send' || method === 'message.edit'
    ? 'message'
    : method === 'typing.start'
      ? 'typing'
      : null;

it('returns refusals, synchronously with the local limiter, and counts the methods of one action together', async () => {
  const limiter = createLocalRateLimiter({}, { limits, clock });
  const check = methodRateLimit(limiter, actionOf);
  expect(check('message.send', 'alice')).toBeNull();
  expect(check('message.edit', 'alice')).toEqual({ code: 'rate_limited', retryAfterMs: 60_000 });
  expect(check('typing.start', 'alice')).toBeNull();
  expect(check('message.send', 'bob')).toBeNull();
  await limiter.close();
});

it('never refuses a method without an action', async () => {
  const limiter = createLocalRateLimiter({}, { limits, clock });
  const check = methodRateLimit(limiter, actionOf);
  for (let i = 0; i < 5; i += 1) expect(check('ping', 'alice')).toBeNull();
  await limiter.close();
});

it('returns a promise with the exact limiter', async () => {
  const check = methodRateLimit(createMemoryRateLimiter({ limits, clock }), actionOf);
  expect(await check('message.send', 'alice')).toBeNull();
  expect(await check('message.send', 'alice')).toEqual({
    code: 'rate_limited',
    retryAfterMs: 60_000,
  });
});
