import { withFallback } from '@openclaw/redis-client';
import { countCall, type Counted, parseCountReply } from './count-script.ts';
import { toDecision } from './decision.ts';
import { checkAgentId, checkLimits, limitOf } from './limit.ts';
import type { RateLimiter, RateLimiterDeps } from './limiter.ts';
import { createMemoryRateLimiter } from './memory-limiter.ts';
import type { RateLimiterOptions } from './options.ts';

const one: readonly Counted[] = [[0, 1]];

/**
 * The exact limiter on Redis: one script per decision, in Redis' time. While Redis is away an in-memory limiter counts
 * in its place.
 */
export function createRedisRateLimiter<Action extends string>(
  { redis, keys }: RateLimiterDeps,
  options: RateLimiterOptions<Action>,
): RateLimiter<Action> {
  const limits = checkLimits(options.limits);
  const alone = createMemoryRateLimiter(options);

  const keysOf = (action: Action, agentId: string) => {
    checkAgentId(agentId);
    return {
      counter: keys.rateLimit(action, agentId),
      window: keys.rateLimitWindow(action, agentId),
    };
  };
  const run = async (action: Action, agentId: string, requests: readonly Counted[]) => {
    const nowMs = options.clock?.();
    const call = countCall(keysOf(action, agentId), limitOf(limits, action), requests, {
      decided: false,
      nowMs,
    });
    return parseCountReply(await redis.run(call));
  };

  return {
    limits,
    async consume(action, agentId) {
      const { value } = await withFallback(
        redis,
        async () => {
          const { allowed, count, resetMs } = await run(action, agentId, one);
          return toDecision(limitOf(limits, action), allowed, count, resetMs, false);
        },
        () => alone.consume(action, agentId),
      );
      return value;
    },
    async count(action, agentId) {
      const { value } = await withFallback(
        redis,
        async () => (await run(action, agentId, [])).count,
        () => alone.count(action, agentId),
      );
      return value;
    },
    async reset(action, agentId) {
      limitOf(limits, action);
      const { counter, window } = keysOf(action, agentId);
      await alone.reset(action, agentId);
      await withFallback(
        redis,
        async () => void (await redis.send(['DEL', counter, window])),
        () => undefined,
      );
    },
    close: () => alone.close(),
  };
}
