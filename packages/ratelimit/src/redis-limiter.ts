import type { KeySchema } from '@openclaw/key-schema';
import { RedisClientError, type RedisClient } from '@openclaw/redis-client';
import { countCall, type Counted, parseCountReply } from './count-script.ts';
import { toDecision, uncountedDecision } from './decision.ts';
import { checkAgentId, checkLimits, limitOf } from './limit.ts';
import type { RateLimiter } from './limiter.ts';
import { createMemoryRateLimiter } from './memory-limiter.ts';
import { parseWhenAway, type RateLimiterOptions } from './options.ts';

const oneRequest: readonly Counted[] = [[0, 1]];

/**
 * The exact limiter on Redis: one script per decision, by Redis' clock. While Redis is away or refuses to count, a memory
 * limiter replaces it, unless `whenAway` says otherwise.
 */
export function createRedisRateLimiter<Action extends string>(
  { redis, keys }: { readonly redis: RedisClient; readonly keys: KeySchema },
  options: RateLimiterOptions<Action>,
): RateLimiter<Action> {
  const limits = checkLimits(options.limits);
  const whenAway = parseWhenAway(options.whenAway);
  const fallback = createMemoryRateLimiter(options);

  const keysOf = (action: Action, agentId: string) => {
    checkAgentId(agentId);
    return {
      counter: keys.rateLimit(action, agentId),
      window: keys.rateLimitWindow(action, agentId),
    };
  };
  const run = async (action: Action, agentId: string, requests: readonly Counted[]) => {
    const limit = limitOf(limits, action);
    const nowMs = options.clock?.();
    const call = countCall(keysOf(action, agentId), limit, requests, { decided: false, nowMs });
    return parseCountReply(await redis.run(call));
  };

  /**
   * Asks Redis, and waits for the first connection if there was none yet. Answers without Redis when that fails: the work
   * that the limiter protects must not fail because of the limiter.
   */
  async function askRedis<T>(ask: () => Promise<T>, fallBack: () => T | Promise<T>): Promise<T> {
    if (redis.available || redis.connecting) {
      try {
        return await ask();
      } catch (error) {
        // A bad argument and a closed client are mistakes of the caller.
        if (!(error instanceof RedisClientError) || error.code === 'closed') throw error;
      }
    }
    return fallBack();
  }

  return {
    limits,
    async consume(action, agentId) {
      const limit = limitOf(limits, action);
      checkAgentId(agentId);
      return askRedis(
        async () => {
          const { allowed, count, resetMs } = await run(action, agentId, oneRequest);
          return toDecision(limit, allowed, count, resetMs, false);
        },
        async () =>
          whenAway === 'memory'
            ? { ...(await fallback.consume(action, agentId)), degraded: true }
            : uncountedDecision(limit, whenAway === 'allow'),
      );
    },
    async count(action, agentId) {
      return askRedis(
        async () => (await run(action, agentId, [])).count,
        () => fallback.count(action, agentId),
      );
    },
    async reset(action, agentId) {
      limitOf(limits, action);
      const { counter, window } = keysOf(action, agentId);
      await fallback.reset(action, agentId);
      await askRedis(
        async () => void (await redis.send(['DEL', counter, window])),
        () => undefined,
      );
    },
    close: () => fallback.close(),
  };
}
