import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import { RedisClientError, type RedisClient } from '@openclaw/redis-client';
import { countCall, type Counted, parseCountReply, windowKeysOf } from './count-script.ts';
import {
  checkAgentId,
  checkLimits,
  type Decision,
  limitOf,
  type Limits,
  sliceMsOf,
  toDecision,
  uncountedDecision,
} from './limit.ts';
import { parseWhenAway, positiveInteger, type RateLimiterOptions } from './options.ts';
import { type AgentMap, createAgentMap, leftInMs, SlidingWindow } from './sliding-window.ts';

/**
 * Exact limits: at most `limit` requests of an agent in any `windowMs`, over all processes on one Redis. A request is
 * refused only when `limit` requests were allowed within the `windowMs` plus one slice (a sixtieth) before it.
 */
export interface RateLimiter<Action extends string = string> {
  readonly limits: Limits<Action>;
  /**
   * Decides about a request, and counts it if it is allowed. Costs one script in one round trip; waits for the client's
   * first connection. While Redis is away or refuses to count, `whenAway` decides, and the decision is `degraded`: by
   * default this process counts alone, from zero.
   * @throws {RateLimitError} `unknown_action`, `invalid_agent`
   */
  consume(action: Action, agentId: string): Promise<Decision>;
  /** The number of requests in the window. Writes nothing. Rejects like `consume`. */
  count(action: Action, agentId: string): Promise<number>;
  /** Resets the count in Redis, or only in this process while Redis is away. Rejects like `consume`. */
  reset(action: Action, agentId: string): Promise<void>;
  /** Frees memory. Does not close the Redis client. */
  close(): Promise<void>;
}

/** Without `redis`, requests are counted in memory, for this process only. */
export interface RateLimiterDeps {
  readonly redis?: RedisClient;
  /** @default createKeySchema() */
  readonly keys?: KeySchema;
}

/** Creates an exact limiter on Redis, or in memory without it. @throws {RateLimitError} `invalid_options` */
export function createRateLimiter<Action extends string>(
  { redis, keys = createKeySchema() }: RateLimiterDeps,
  options: RateLimiterOptions<Action>,
): RateLimiter<Action> {
  const memory = createMemoryRateLimiter(options);
  if (!redis) return memory;
  const { limits } = memory;
  const whenAway = parseWhenAway(options.whenAway);

  const run = async (action: Action, agentId: string, requests: readonly Counted[]) => {
    const nowMs = options.clock?.();
    const windowKeys = windowKeysOf(keys, action, agentId);
    const call = countCall(windowKeys, limits[action], requests, { decided: false, nowMs });
    return parseCountReply(await redis.run(call));
  };

  /**
   * Asks Redis, and waits for the first connection if there was none yet. If that fails, answers without Redis, because
   * the work that the limiter protects must not fail because of the limiter.
   */
  async function askRedis<T>(ask: () => Promise<T>, fallBack: () => T | Promise<T>): Promise<T> {
    if (redis?.available || redis?.connecting) {
      try {
        return await ask();
      } catch (error) {
        // A bad argument or a closed client is a mistake of the caller.
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
          const { allowed, count, resetMs } = await run(action, agentId, [[0, 1]]);
          return toDecision(limit, allowed, count, resetMs, false);
        },
        async () =>
          whenAway === 'memory'
            ? { ...(await memory.consume(action, agentId)), degraded: true }
            : uncountedDecision(limit, whenAway === 'allow'),
      );
    },
    async count(action, agentId) {
      limitOf(limits, action);
      checkAgentId(agentId);
      return askRedis(
        async () => (await run(action, agentId, [])).count,
        () => memory.count(action, agentId),
      );
    },
    async reset(action, agentId) {
      await memory.reset(action, agentId);
      const { counter, window } = windowKeysOf(keys, action, agentId);
      await askRedis(
        async () => void (await redis.send(['DEL', counter, window])),
        () => undefined,
      );
    },
    close: () => memory.close(),
  };
}

/**
 * An exact limiter for one process, without Redis. Keeps at most `maxAgents` per action, and no idle agents.
 * @throws {RateLimitError} `invalid_options`
 */
export function createMemoryRateLimiter<Action extends string>(
  options: RateLimiterOptions<Action>,
): RateLimiter<Action> {
  const limits = checkLimits(options.limits);
  const maxAgents = positiveInteger('maxAgents', options.maxAgents);
  parseWhenAway(options.whenAway);
  const { clock = Date.now } = options;
  const windows = new Map<string, AgentMap<SlidingWindow>>();

  const find = (action: Action, agentId: string) => {
    const limit = limitOf(limits, action);
    checkAgentId(agentId);
    let agents = windows.get(action);
    if (!agents) {
      agents = createAgentMap(maxAgents, limit.windowMs + sliceMsOf(limit));
      windows.set(action, agents);
    }
    return { limit, agents };
  };

  return {
    limits,
    async consume(action, agentId) {
      const { limit, agents } = find(action, agentId);
      const nowMs = clock();
      const window = agents.touch(agentId, nowMs, () => new SlidingWindow(limit));
      const allowed = window.count(nowMs) < limit.limit;
      if (allowed) window.add(nowMs);
      const count = window.count(nowMs);
      const resetMs = leftInMs(window.slices, nowMs, count - limit.limit + 1);
      return toDecision(limit, allowed, count, resetMs);
    },
    async count(action, agentId) {
      return find(action, agentId).agents.get(agentId)?.count(clock()) ?? 0;
    },
    async reset(action, agentId) {
      find(action, agentId).agents.delete(agentId);
    },
    async close() {
      windows.clear();
    },
  };
}
