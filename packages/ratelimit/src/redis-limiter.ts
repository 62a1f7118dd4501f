import { RedisClientError } from '@openclaw/redis-client';
import { countCall, type Counted, parseCountReply } from './count-script.ts';
import { toDecision, uncountedDecision } from './decision.ts';
import { checkAgentId, checkLimits, limitOf } from './limit.ts';
import type { RateLimiter, RateLimiterDeps } from './limiter.ts';
import { createMemoryRateLimiter } from './memory-limiter.ts';
import { parseWhenAway, type RateLimiterOptions } from './options.ts';

const one: readonly Counted[] = [[0, 1]];

/**
 * The exact limiter on Redis: one script per decision, in Redis' time. While Redis is away, or refuses to count, an
 * in-memory limiter counts in its place, unless `whenAway` says otherwise.
 */
export function createRedisRateLimiter<Action extends string>(
  { redis, keys }: RateLimiterDeps,
  options: RateLimiterOptions<Action>,
): RateLimiter<Action> {
  const limits = checkLimits(options.limits);
  const whenAway = parseWhenAway(options.whenAway);
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

  /**
   * Asks Redis, waiting for the first connection if there was none yet. When Redis is away or fails for whatever reason,
   * answers without it: a limiter stands before other work, which must not fail because the limiter does.
   */
  async function orElse<T>(ask: () => Promise<T>, answer: () => T | Promise<T>): Promise<T> {
    if (redis.available || redis.connecting) {
      try {
        return await ask();
      } catch (error) {
        // An unknown action or a bad id is the caller's mistake, and so is a client that was closed.
        if (!(error instanceof RedisClientError) || error.code === 'closed') throw error;
      }
    }
    return answer();
  }

  return {
    limits,
    async consume(action, agentId) {
      const limit = limitOf(limits, action);
      checkAgentId(agentId);
      return orElse(
        async () => {
          const { allowed, count, resetMs } = await run(action, agentId, one);
          return toDecision(limit, allowed, count, resetMs, false);
        },
        () =>
          whenAway === 'memory'
            ? alone.consume(action, agentId)
            : uncountedDecision(limit, whenAway === 'allow'),
      );
    },
    async count(action, agentId) {
      return orElse(
        async () => (await run(action, agentId, [])).count,
        () => alone.count(action, agentId),
      );
    },
    async reset(action, agentId) {
      limitOf(limits, action);
      const { counter, window } = keysOf(action, agentId);
      await alone.reset(action, agentId);
      await orElse(
        async () => void (await redis.send(['DEL', counter, window])),
        () => undefined,
      );
    },
    close: () => alone.close(),
  };
}
