import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import { type RedisClient, RedisClientError, withFallback } from '@openclaw/redis-client';
import {
  blockCall,
  countCall,
  decideCall,
  parseCountReply,
  unpackSlices,
  windowKeysOf,
} from './count-script.ts';
import {
  checkAgentId,
  checkBlock,
  checkCost,
  checkLimits,
  checkPenalty,
  type Decision,
  type Limit,
  limitOf,
  maxWindowMs,
  type Limits,
  sliceMsOf,
  toDecision,
  uncountedDecision,
} from './limit.ts';
import { parseOptions, parseWhenAway, type RateLimiterOptions } from './options.ts';
import {
  type AgentMap,
  createAgentMap,
  leftInMs,
  type Slice,
  SlidingWindow,
} from './sliding-window.ts';

/**
 * Exact limits: at most `limit` requests of an agent in any `windowMs`, over all processes on one Redis. A refusal may
 * last up to a sixtieth of the window too long.
 */
export interface RateLimiter<Action extends string = string> {
  readonly limits: Limits<Action>;
  /**
   * Decides about a request that counts as `cost` requests (1 by default), and counts it if it is allowed. Costs one
   * round trip, and waits for the client's first connection. While Redis is away or refuses to count, `whenAway`
   * decides, and the decision is `degraded`.
   * @throws {RateLimitError} `unknown_action`, `invalid_agent`, `invalid_cost`
   */
  consume(action: Action, agentId: string, cost?: number): Promise<Decision>;
  /**
   * Adds `requests` to the count, even beyond the limit, for example after a failed login. Resolves with the decision
   * for the agent's next request. One round trip. Rejects like `consume`.
   */
  penalty(action: Action, agentId: string, requests: number): Promise<Decision>;
  /**
   * Refuses the agent's requests for this action for `forMs`, at most a day. 0 or `reset` ends a block. One round trip.
   * `degraded`: Redis is away, so only this process knows the block.
   * @throws {RateLimitError} `unknown_action`, `invalid_agent`, `invalid_block`
   */
  block(action: Action, agentId: string, forMs: number): Promise<{ readonly degraded: boolean }>;
  /** The number of requests in the window. Writes nothing. Rejects like `consume`. */
  count(action: Action, agentId: string): Promise<number>;
  /** Resets the count; while Redis is away, only in this process. Rejects like `consume`. */
  reset(action: Action, agentId: string): Promise<void>;
  /** Does not close the Redis client. */
  close(): Promise<void>;
}

/** Without `redis`, requests are counted in the memory of this process. */
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

  /**
   * Falls back if Redis does not count, so that the protected work goes on. A bad argument or a closed client still
   * throws, because it is the caller's mistake.
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
    async consume(action, agentId, cost = 1) {
      const limit = limitOf(limits, action);
      checkAgentId(agentId);
      checkCost(cost, limit);
      const names = windowKeysOf(keys, action, agentId);
      const { value, degraded } = await askRedis(
        async () => {
          const call = decideCall(names, limit, cost, options.clock?.());
          const { allowed, count, resetMs } = parseCountReply(await redis.run(call));
          return toDecision(limit, allowed, count, resetMs);
        },
        () =>
          whenAway === 'memory'
            ? memory.consume(action, agentId, cost)
            : uncountedDecision(limit, whenAway === 'allow'),
      );
      return degraded ? { ...value, degraded } : value;
    },
    async penalty(action, agentId, requests) {
      const limit = limitOf(limits, action);
      checkAgentId(agentId);
      checkPenalty(requests);
      const { value, degraded } = await askRedis(
        async () => {
          const names = windowKeysOf(keys, action, agentId);
          const call = countCall(names, limit, [[0, requests]], options.clock?.());
          const { packed, blockedMs } = parseCountReply(await redis.run(call));
          const slices = unpackSlices(packed).map(([leavesAtMs, count]) => ({ leavesAtMs, count }));
          return nextDecision(limit, slices, 0, blockedMs);
        },
        () => memory.penalty(action, agentId, requests),
      );
      return { ...value, degraded };
    },
    async block(action, agentId, forMs) {
      // The block must hold even if Redis fails later.
      await memory.block(action, agentId, forMs);
      const names = windowKeysOf(keys, action, agentId);
      const { degraded } = await askRedis(
        async () =>
          void (await redis.run(blockCall(names, limits[action], forMs, options.clock?.()))),
        () => undefined,
      );
      return { degraded };
    },
    async count(action, agentId) {
      const limit = limitOf(limits, action);
      checkAgentId(agentId);
      const names = windowKeysOf(keys, action, agentId);
      const { value } = await askRedis(
        async () => {
          const call = decideCall(names, limit, null, options.clock?.());
          return parseCountReply(await redis.run(call)).count;
        },
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

/** Decides about a request of cost 1, and does not count it. */
function nextDecision(
  limit: Limit,
  slices: readonly Slice[],
  nowMs: number,
  blockedMs: number,
): Decision {
  const count = slices.reduce((sum, slice) => sum + slice.count, 0);
  const resetMs = leftInMs(slices, nowMs, count - limit.limit + 1);
  const allowed = blockedMs === 0 && count < limit.limit;
  return toDecision(limit, allowed, count, Math.max(resetMs, blockedMs));
}

/**
 * An exact limiter in memory. Keeps at most `maxAgents` per action, and no idle agents.
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
  /** Separate from the windows, because a block may last longer than a window. */
  const blocks = new Map<string, AgentMap<{ untilMs: number }>>();

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
  const blockedMsOf = (action: string, agentId: string, nowMs: number) => {
    const leftMs = (blocks.get(action)?.get(agentId)?.untilMs ?? 0) - nowMs;
    // If more is left than a block may last, the clock was set back after the block began. The block then has no
    // effect.
    return leftMs > 0 && leftMs <= maxWindowMs ? leftMs : 0;
  };

  return {
    limits,
    async consume(action, agentId, cost = 1) {
      const { limit, agents } = find(action, agentId);
      checkCost(cost, limit);
      const nowMs = clock();
      const window = agents.touch(agentId, nowMs, () => new SlidingWindow(limit));
      const blockedMs = blockedMsOf(action, agentId, nowMs);
      const excess = window.count(nowMs) + cost - limit.limit;
      const allowed = blockedMs === 0 && excess <= 0;
      if (allowed) window.add(nowMs, cost);
      const resetMs = leftInMs(window.slices, nowMs, allowed ? 1 : excess);
      return toDecision(limit, allowed, window.count(nowMs), Math.max(resetMs, blockedMs));
    },
    async penalty(action, agentId, requests) {
      const { limit, agents } = find(action, agentId);
      checkPenalty(requests);
      const nowMs = clock();
      const window = agents.touch(agentId, nowMs, () => new SlidingWindow(limit));
      window.count(nowMs);
      window.add(nowMs, requests);
      return nextDecision(limit, window.slices, nowMs, blockedMsOf(action, agentId, nowMs));
    },
    async block(action, agentId, forMs) {
      find(action, agentId);
      checkBlock(forMs);
      const nowMs = clock();
      const blocked = blocks.get(action) ?? createAgentMap(maxAgents, maxWindowMs);
      blocks.set(action, blocked);
      blocked.delete(agentId);
      if (forMs > 0) blocked.touch(agentId, nowMs, () => ({ untilMs: nowMs + forMs }));
      return { degraded: false };
    },
    async count(action, agentId) {
      return find(action, agentId).agents.get(agentId)?.count(clock()) ?? 0;
    },
    async reset(action, agentId) {
      find(action, agentId).agents.delete(agentId);
      blocks.get(action)?.delete(agentId);
    },
    async close() {
      windows.clear();
      blocks.clear();
    },
  };
}
