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
import { hasRedis, type RateLimiterDeps } from './limiter.ts';
import { LocalAgent } from './local-agent.ts';
import { type LocalRateLimiterOptions, parseWhenAway, positiveInteger } from './options.ts';

/** Plain numbers of a {@link LocalRateLimiter}, for metrics. */
export interface LocalRateLimiterStats extends Readonly<ExchangeStats> {
  readonly allowed: number;
  readonly refused: number;
  /** Agents remembered now, over all actions. */
  readonly agents: number;
  /** Agents that wait for the next exchange. */
  readonly waiting: number;
}

/**
 * Limits without a round trip: each process counts itself and exchanges counts with Redis in the background. Alone a
 * process is exact; together, processes may allow what they received within one exchange beyond the limit.
 */
export interface LocalRateLimiter<Action extends string = string> {
  readonly limits: Limits<Action>;
  /**
   * Decides at once, from what was counted here and the last known count of all, and counts the request if allowed.
   * With Redis away, or refusing to count, this process counts alone, unless `whenAway` says otherwise. `remaining` and
   * `resetMs` may lag behind the truth, towards caution.
   * @throws {RateLimitError} `unknown_action`, `invalid_agent`
   */
  consume(action: Action, agentId: string): Decision;
  /**
   * Exchanges counts now: one pipeline, one script call per agent asked about since the last time. Runs by itself every
   * `exchangeMs`. Never rejects.
   */
  exchange(): Promise<void>;
  readonly stats: LocalRateLimiterStats;
  /** Exchanges once more, then stops. The Redis client is its creator's to close. */
  close(): Promise<void>;
}

/** Makes a {@link LocalRateLimiter}; without Redis it counts alone. @throws {RateLimitError} `invalid_options` */
export function createLocalRateLimiter<Action extends string>(
  deps: RateLimiterDeps | Record<string, never>,
  options: LocalRateLimiterOptions<Action>,
): LocalRateLimiter<Action> {
  const limits = checkLimits(options.limits);
  const maxAgents = positiveInteger('maxAgents', options.maxAgents);
  const maxPerExchange = positiveInteger('maxPerExchange', options.maxPerExchange);
  const exchangeMs = positiveInteger('exchangeMs', options.exchangeMs);
  const whenAway = parseWhenAway(options.whenAway);
  const clock = options.clock ?? Date.now;
  const shared = hasRedis(deps) ? deps : undefined;
  const counters = { exchanges: 0, exchangeFailures: 0, allowed: 0, refused: 0 };
  const exchange =
    shared && createExchange(shared.redis, maxPerExchange, clock, options.redisClock, counters);

  const actions = new Map<
    string,
    { readonly limit: Limit; readonly agents: AgentMap<LocalAgent> }
  >();
  for (const [action, limit] of Object.entries<Limit>(limits)) {
    // What a window holds from an agent idle that long has left it, and was exchanged long before.
    const idleMs = limit.windowMs + 2 * sliceMsOf(limit);
    actions.set(action, { limit, agents: createAgentMap(maxAgents, idleMs) });
  }

  const newAgent = (action: Action, agentId: string, limit: Limit): LocalAgent => {
    checkAgentId(agentId);
    const keys = shared && {
      counter: shared.keys.rateLimit(action, agentId),
      window: shared.keys.rateLimitWindow(action, agentId),
    };
    return new LocalAgent(limit, keys);
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
      // Counted whatever is decided, so that Redis learns of it when it is back.
      const { allowed, count, resetMs } = agent.consume(nowMs);
      exchange?.touch(agent);
      const isAway = !shared?.redis.available || exchange?.isRefused === true;
      const decision =
        shared && isAway && whenAway !== 'memory'
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
