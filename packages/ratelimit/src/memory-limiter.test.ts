import { describe, expect, it } from '@jest/globals';
import { describeRateLimiter, expectTrueWindow } from './limiter.contract.ts';
import { createMemoryRateLimiter, createRateLimiter } from './exact-limiter.ts';

describe('the memory limiter', () => {
  describeRateLimiter(createMemoryRateLimiter, { propertyRuns: 300 });

  it('is made by createRateLimiter without Redis', async () => {
    const limiter = createRateLimiter({}, { limits: { message: { limit: 1, windowMs: 1000 } } });
    expect(await limiter.consume('message', 'alice')).toMatchObject({
      allowed: true,
      degraded: false,
    });
    await limiter.close();
  });

  it('drops the agent idle longest when there are more than maxAgents', async () => {
    const clock = { nowMs: 1_700_000_000_000 };
    const limiter = createMemoryRateLimiter({
      limits: { message: { limit: 1, windowMs: 60_000 } },
      maxAgents: 2,
      clock: () => clock.nowMs,
    });
    for (const agentId of ['alice', 'bob']) await limiter.consume('message', agentId);
    clock.nowMs += 2000;
    await limiter.consume('message', 'alice');
    await limiter.consume('message', 'carol');
    expect(await limiter.count('message', 'bob')).toBe(0);
    expect(await limiter.count('message', 'alice')).toBe(1);
  });
});

// Negative control of the property: fixed windows by INCR and EXPIRE must fail.
it('shows that a counter of fixed windows allows twice the limit across a boundary', async () => {
  const fixedWindow = expectTrueWindow(300, (clock, { limit, windowMs }) => {
    let window = 0;
    let count = 0;
    return () => {
      const now = Math.floor(clock.nowMs / windowMs);
      if (now !== window) count = 0;
      window = now;
      const allowed = count < limit;
      if (allowed) count += 1;
      const resetMs = (now + 1) * windowMs - clock.nowMs;
      const retryAfterMs = allowed ? 0 : resetMs;
      return { allowed, limit, remaining: limit - count, resetMs, retryAfterMs, degraded: true };
    };
  });
  await expect(fixedWindow).rejects.toThrow('Property failed');
});
