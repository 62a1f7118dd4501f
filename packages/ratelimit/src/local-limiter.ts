import { createKeySchema } from '@openclaw/key-schema';
import { type AgentMap, createAgentMap } from './agent-map.ts';
import { type Decision, toDecision, uncountedDecision } from './decision.ts';
import { createExchange, type ExchangeStats } from './exchange.ts';
import {
  checkAgentId,
  checkLimits,
  type Limit,
  type Limits,
  sliceMsOf,
  unknownAction,
} from './limit.ts';
import type { RateLimiterDeps } from './limiter.ts';
import { LocalAgent } from './local-agent.ts';
import { type LocalRateLimiterOptions, parseWhenAway, positiveInteger } from './options.ts';

/** For metrics. */
export interface LocalRateLimiterStats extends Readonly<ExchangeStats> {
  readonly allowed: number;
  readonly refused: number;
  /** Agents in memory, over all actions. */
  readonly agents: number;
  /** Agents in the next exchanges. */
  readonly waiting: number;
}

/**
 * Limits without a round trip: each process counts for itself and exchanges counts with Redis in the background. One
 * process is exact. Several together may exceed the limit by the requests that they got within one exchange.
 */
export interface LocalRateLimiter<Action extends string = string> {
  readonly limits: Limits<Action>;
  /**
   * Decides at once, from this process' requests and the last known count of all, and counts an allowed request. While
   * Redis is away or refuses to count, this process counts alone, unless `whenAway` says otherwise. `remaining` may be too
   * low and `resetMs` too high, never the other way round.
   * @throws {RateLimitError} `unknown_action`, `invalid_agent`
   */
  consume(action: Action, agentId: string): Decision;
  /**
   * Exchanges counts now, in one pipeline with one script call per agent that made requests since the last exchange. Runs
   * by itself every `exchangeMs`. Never rejects.
   */
  exchange(): Promise<void>;
  readonly stats: LocalRateLimiterStats;
  /** Exchanges once more, then stops. Does not close the Redis client. */
  close(): Promise<void>;
}

/** Creates a {@link LocalRateLimiter}; without Redis it counts alone. @throws {RateLimitError} `invalid_options` */
export function createLocalRateLimiter<Action extends string>(
  { redis, keys = createKeySchema() }: RateLimiterDeps,
  options: LocalRateLimiterOptions<Action>,
): LocalRateLimiter<Action> {
  const limits = checkLimits(options.limits);
  const maxAgents = positiveInteger('maxAgents', options.maxAgents);
  const maxPerExchange = positiveInteger('maxPerExchange', options.maxPerExchange);
  const exchangeMs = positiveInteger('exchangeMs', options.exchangeMs);
  const whenAway = parseWhenAway(options.whenAway);
  const clock = options.clock ?? Date.now;
  const counters = { exchanges: 0, exchangeFailures: 0, allowed: 0, refused: 0 };
  const exchange =
    redis && createExchange(redis, maxPerExchange, clock, options.redisClock, counters);

  const actions = new Map<
    string,
    { readonly limit: Limit; readonly agents: AgentMap<LocalAgent> }
  >();
  for (const [action, limit] of Object.entries<Limit>(limits)) {
    // By then the agent's requests have been exchanged and have left the window.
    const idleMs = limit.windowMs + 2 * sliceMsOf(limit);
    actions.set(action, { limit, agents: createAgentMap(maxAgents, idleMs) });
  }

  const newAgent = (action: Action, agentId: string, limit: Limit): LocalAgent => {
    checkAgentId(agentId);
    const windowKeys = redis && {
      counter: keys.rateLimit(action, agentId),
      window: keys.rateLimitWindow(action, agentId),
    };
    return new LocalAgent(limit, windowKeys);
  };

  const tick = () => {
    const nowMs = clock();
    for (const { agents } of actions.values()) agents.sweep(nowMs);
    return exchange?.run() ?? Promise.resolve();
  };
  const timer = setInterval(() => void tick(), exchangeMs);
  timer.unref();

  return {
    limits,
    consume(action, agentId) {
      const known = actions.get(action);
      if (!known) throw unknownAction(action);
      const { limit, agents } = known;
      const nowMs = clock();
      const agent = agents.touch(agentId, nowMs, () => newAgent(action, agentId, limit));
      // Counted even if `whenAway` decides, so that Redis gets the count when it is back.
      const { allowed, count, resetMs } = agent.consume(nowMs);
      exchange?.add(agent);
      const isAway = redis !== undefined && (!redis.available || exchange?.isRefused === true);
      const decision =
        isAway && whenAway !== 'memory'
          ? uncountedDecision(limit, whenAway === 'allow')
          : toDecision(limit, allowed, count, resetMs, isAway);
      if (decision.allowed) counters.allowed += 1;
      else counters.refused += 1;
      return decision;
    },
    exchange: tick,
    get stats() {
      let agents = 0;
      for (const action of actions.values()) agents += action.agents.size;
      return { ...counters, agents, waiting: exchange?.waiting ?? 0 };
    },
    async close() {
      clearInterval(timer);
      await tick();
    },
  };
}
