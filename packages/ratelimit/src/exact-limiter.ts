import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import { type RedisClient, RedisClientError, withFallback } from '@openclaw/redis-client';
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
import { parseOptions, parseWhenAway, type RateLimiterOptions } from './options.ts';
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
   * Asks Redis, and answers without it if that fails, because the work that the limiter protects must not fail because
   * of the limiter. A bad argument or a closed client is a mistake of the caller.
   */
  const askRedis = <T>(ask: () => Promise<T>, fallback: () => T | Promise<T>) =>
    withFallback(
      redis,
      ask,
      fallback,
      (error) => error instanceof RedisClientError && error.code !== 'closed',
    );

  return {
    limits,
    async consume(action, agentId) {
      const limit = limitOf(limits, action);
      checkAgentId(agentId);
      const { value, degraded } = await askRedis(
        async () => {
          const { allowed, count, resetMs } = await run(action, agentId, [[0, 1]]);
          return toDecision(limit, allowed, count, resetMs);
        },
        () =>
          whenAway === 'memory'
            ? memory.consume(action, agentId)
            : uncountedDecision(limit, whenAway === 'allow'),
      );
      return { ...value, degraded };
    },
    async count(action, agentId) {
      limitOf(limits, action);
      checkAgentId(agentId);
      const { value } = await askRedis(
        async () => (await run(action, agentId, [])).count,
        () => memory.count(action, agentId),
      );
      return value;
    },
    async reset(action, agentId) {
      await memory.reset(action, agentId);
      await askRedis(
        async () => void (await redis.send(['DEL', ...windowKeysOf(keys, action, agentId)])),
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
  const { maxAgents } = parseOptions(options);
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
