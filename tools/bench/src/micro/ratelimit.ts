import { createLocalRateLimiter, createRateLimiter } from '@openclaw/ratelimit';
import { createRedisClient } from '@openclaw/redis-client';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { Comparison, Contestant } from './contestant.ts';
import { connectPeerRedis } from './peer-redis.ts';

const agents = 111;
const limit = 100_000_000;
const windowSeconds = 60;
const limits = { message: { limit, windowMs: 1_000 * windowSeconds } };
const agentOf = (at: number) => `agent-${at % agents}`;
const peerPrefix = 'peer';

export const exactLimits: Comparison = {
  name: 'ratelimit, exact',
  description: `a decision in Redis for one of ${agents} agents`,
  concurrency: 50,
  contestants: [
    async ({ url }): Promise<Contestant> => {
      const redis = createRedisClient({ url });
      await redis.ready();
      const limiter = createRateLimiter({ redis }, { limits });
      return {
        name: '@openclaw/ratelimit',
        promise: 'sliding window of 60 slices, Redis’ clock',
        operate: (at) => limiter.consume('message', agentOf(at)),
        async [Symbol.asyncDispose]() {
          await limiter.close();
          await redis.close();
        },
      };
    },
    async ({ url }): Promise<Contestant> => {
      const redis = await connectPeerRedis(url);
      const limiter = new RateLimiterRedis({
        storeClient: redis,
        points: limit,
        duration: windowSeconds,
        keyPrefix: peerPrefix,
      });
      return {
        name: 'rate-limiter-flexible',
        promise: 'fixed window: twice the limit around its end',
        operate: (at) => limiter.consume(agentOf(at)),
        [Symbol.asyncDispose]: async () => void (await redis.quit()),
      };
    },
  ],
};

export const localLimits: Comparison = {
  name: 'ratelimit, without a round trip',
  description: `a decision in this process for one of ${agents} agents`,
  concurrency: 1,
  contestants: [
    async ({ url }): Promise<Contestant> => {
      const redis = createRedisClient({ url });
      await redis.ready();
      const limiter = createLocalRateLimiter({ redis }, { limits });
      return {
        name: '@openclaw/ratelimit',
        promise: 'sliding window, counts of all processes exchanged every 100 ms',
        operate: async (at) => limiter.consume('message', agentOf(at)),
        async [Symbol.asyncDispose]() {
          await limiter.close();
          await redis.close();
        },
      };
    },
    async (): Promise<Contestant> => {
      const limiter = new RateLimiterMemory({ points: limit, duration: windowSeconds });
      return {
        name: 'rate-limiter-flexible, in memory',
        promise: 'fixed window, for this process alone',
        operate: (at) => limiter.consume(agentOf(at)),
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  ],
};
