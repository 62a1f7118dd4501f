import { createKeySchema } from '@openclaw/key-schema';
import { type RedisClient, RedisClientError } from '@openclaw/redis-client';
import {
  countCall,
  type Counted,
  type CountReply,
  parseCountReply,
  unpackSlices,
  type WindowKeys,
  windowKeysOf,
} from './count-script.ts';
import type { RateLimiterDeps } from './exact-limiter.ts';
import {
  checkAgentId,
  checkCost,
  checkLimits,
  type Decision,
  type Limit,
  type Limits,
  maxWindowMs,
  sliceMsOf,
  throwUnknown,
  toDecision,
  uncountedDecision,
} from './limit.ts';
import { type LocalRateLimiterOptions, parseOptions, parseWhenAway } from './options.ts';
import {
  type AgentMap,
  createAgentMap,
  leftInMs,
  type Slice,
  SlidingWindow,
} from './sliding-window.ts';

export interface LocalRateLimiterStats {
  /** Exchanges that Redis answered, at least in part. */
  readonly exchanges: number;
  readonly exchangeFailures: number;
  readonly allowed: number;
  readonly refused: number;
  /** The agents in memory, over all actions. */
  readonly agents: number;
  readonly waiting: number;
}

/**
 * Limits without a round trip. Each process counts its own requests, and exchanges counts with Redis in the background.
 * Several processes together may exceed the limit by the requests that they allow between two exchanges.
 */
export interface LocalRateLimiter<Action extends string = string> {
  readonly limits: Limits<Action>;
  /**
   * Decides at once, from this process' requests and the last known total. An allowed request counts as `cost`
   * requests, by default 1. While Redis is away or refuses to count, `whenAway` decides. `remaining` may be too low and
   * `resetMs` too high, never the opposite. If an exact limiter blocks or penalizes the agent, this limiter learns of
   * it at the exchange after the agent's next request.
   * @throws {RateLimitError} `unknown_action`, `invalid_agent`, `invalid_cost`
   */
  consume(action: Action, agentId: string, cost?: number): Decision;
  /**
   * Exchanges the counts of agents that made requests, in one pipeline. Runs by itself every `exchangeMs`. Never
   * rejects.
   */
  exchange(): Promise<void>;
  readonly stats: LocalRateLimiterStats;
  /** Makes a last exchange. Does not close the Redis client. */
  close(): Promise<void>;
}

/**
 * Without Redis, the limiter counts alone.
 * @throws {RateLimitError} `invalid_options`
 */
export function createLocalRateLimiter<Action extends string>(
  { redis, keys = createKeySchema() }: RateLimiterDeps,
  options: LocalRateLimiterOptions<Action>,
): LocalRateLimiter<Action> {
  const limits = checkLimits(options.limits);
  const { maxAgents, maxPerExchange, exchangeMs } = parseOptions(options);
  const whenAway = parseWhenAway(options.whenAway);
  const { clock = Date.now, redisClock } = options;
  const counters = { exchanges: 0, exchangeFailures: 0, allowed: 0, refused: 0 };
  const actions = new Map<string, { limit: Limit; agents: AgentMap<LocalAgent> }>();
  /** Agents with requests since their last exchange. An agent that is dropped from memory leaves this set too. */
  const waiting = new Set<LocalAgent>();
  for (const [action, limit] of Object.entries<Limit>(limits)) {
    // After this time, the agent's requests have been exchanged and have left the window.
    const idleMs = limit.windowMs + 2 * sliceMsOf(limit);
    actions.set(action, { limit, agents: createAgentMap(maxAgents, idleMs, forget) });
  }
  let exchanging: Promise<void> | undefined;
  /** Redis refused the whole last exchange, for example because of an ACL. This process then counts alone. */
  let isRefused = false;
  /** How long the last exchange took. Redis counts a request this much later than this process. */
  let lagMs = 0;

  const newAgent = (action: Action, agentId: string, limit: Limit): LocalAgent => {
    checkAgentId(agentId);
    return new LocalAgent(limit, windowKeysOf(keys, action, agentId), redis !== undefined);
  };

  function forget(agent: LocalAgent): void {
    agent.isForgotten = true;
    waiting.delete(agent);
  }

  function waitAgain(agent: LocalAgent): void {
    if (!agent.isForgotten) waiting.add(agent);
  }

  async function send(redis: RedisClient): Promise<void> {
    const agents: LocalAgent[] = [];
    for (const agent of waiting) {
      if (agents.length === maxPerExchange) break;
      waiting.delete(agent);
      agents.push(agent);
    }
    const nowMs = clock();
    const redisNowMs = redisClock?.();
    const calls = agents.map((agent) =>
      countCall(agent.keys, agent.limit, agent.takeUnsent(nowMs), redisNowMs),
    );
    try {
      const replies = await redis.pipeline(calls);
      const answeredAtMs = clock();
      lagMs = Math.max(0, answeredAtMs - nowMs);
      let unanswered = 0;
      agents.forEach((agent, at) => {
        const reply = replies[at];
        if (reply instanceof RedisClientError || reply === undefined) {
          agent.onUnanswered();
          waitAgain(agent);
          unanswered += 1;
        } else {
          agent.onReply(parseCountReply(reply), answeredAtMs);
        }
      });
      isRefused = unanswered === agents.length;
      if (unanswered < agents.length) counters.exchanges += 1;
      if (unanswered > 0) counters.exchangeFailures += 1;
    } catch {
      counters.exchangeFailures += 1;
      for (const agent of agents) {
        agent.onNotSent();
        waitAgain(agent);
      }
    }
  }

  async function exchange(): Promise<void> {
    const nowMs = clock();
    for (const { agents } of actions.values()) agents.sweep(nowMs);
    if (waiting.size > 0 && redis && (redis.available || redis.connecting)) {
      exchanging ??= send(redis).finally(() => (exchanging = undefined));
    }
    await exchanging;
  }

  const timer = setInterval(() => void exchange(), exchangeMs).unref();

  return {
    limits,
    consume(action, agentId, cost = 1) {
      const { limit, agents } = actions.get(action) ?? throwUnknown(action);
      checkCost(cost, limit);
      const nowMs = clock();
      const agent = agents.touch(agentId, nowMs, () => newAgent(action, agentId, limit));
      // The request is counted even when `whenAway` decides, so that Redis gets the count later.
      const { allowed, count, resetMs } = agent.consume(nowMs, cost, lagMs);
      if (redis) waiting.add(agent);
      const isAway = redis !== undefined && (!redis.available || isRefused);
      const decision =
        isAway && whenAway !== 'memory'
          ? uncountedDecision(limit, whenAway === 'allow')
          : toDecision(limit, allowed, count, resetMs, isAway);
      if (decision.allowed) counters.allowed += 1;
      else counters.refused += 1;
      return decision;
    },
    exchange,
    get stats() {
      let agents = 0;
      for (const action of actions.values()) agents += action.agents.size;
      return { ...counters, agents, waiting: waiting.size };
    },
    async close() {
      clearInterval(timer);
      await exchange();
    },
  };
}

/**
 * One agent's window as this process knows it: all requests up to the last exchange, and its own requests since then.
 */
class LocalAgent {
  readonly limit: Limit;
  readonly keys: WindowKeys;
  isForgotten = false;
  readonly #isShared: boolean;
  #known: SlidingWindow;
  #pending: SlidingWindow;
  #sent: SlidingWindow | undefined;
  // Few agents get near their limit. So the slices of a reply are unpacked only when they could refuse a request.
  #reply: (CountReply & { readonly atMs: number }) | undefined;
  /** A cached refusal: until `untilMs`, a call of at least this `cost` is refused. */
  #full = { cost: 0, count: 0, untilMs: 0, atMostMs: 0 };
  #blockedUntilMs = 0;

  constructor(limit: Limit, keys: WindowKeys, isShared: boolean) {
    this.limit = limit;
    this.#isShared = isShared;
    this.keys = keys;
    this.#known = new SlidingWindow(limit);
    this.#pending = new SlidingWindow(limit);
  }

  /** If the request is allowed, `count` may include requests that have just left the window. */
  consume(
    nowMs: number,
    cost: number,
    lagMs: number,
  ): { allowed: boolean; count: number; resetMs: number } {
    const { limit, windowMs } = this.limit;
    const refuse = (count: number, waitMs: number, atMostMs = waitMs) => {
      // Every request that is counted now leaves within one window.
      const resetMs = Math.min(atMostMs + lagMs, Math.max(waitMs, windowMs));
      return { allowed: false, count, resetMs };
    };
    // If the clock was set back, the differences would be too large, so they have upper bounds.
    const blockedMs = this.#blockedUntilMs - nowMs;
    if (blockedMs > 0 && blockedMs <= maxWindowMs) {
      return refuse(this.#countAtMost(nowMs), blockedMs);
    }
    const fullMs = this.#full.untilMs - nowMs;
    if (cost >= this.#full.cost && fullMs > 0 && fullMs <= 2 * windowMs) {
      return refuse(this.#full.count, fullMs, this.#full.atMostMs - nowMs);
    }
    if (this.#countAtMost(nowMs) + cost > limit) this.#unpack();
    const count = this.#countAtMost(nowMs);
    if (count + cost <= limit) {
      this.#pending.add(nowMs, cost);
      return { allowed: true, count: count + cost, resetMs: this.#resetMs(nowMs) };
    }
    const slices = [this.#known, this.#pending, this.#sent]
      .flatMap((window) => window?.slices ?? [])
      .sort((a, b) => a.leavesAtMs - b.leavesAtMs);
    const resetMs = leftInMs(slices, nowMs, count + cost - limit);
    // In Redis, slices begin at other times than here, and all requests of a slice leave together. So in Redis a
    // request may leave the window up to one slice later.
    const togetherMs = nowMs + resetMs + (this.#isShared ? sliceMsOf(this.limit) : 0);
    const last = slices.findLast(({ leavesAtMs }) => leavesAtMs <= togetherMs);
    const untilMs = nowMs + resetMs;
    this.#full = { cost, count, untilMs, atMostMs: last?.leavesAtMs ?? untilMs };
    return refuse(count, resetMs, this.#full.atMostMs - nowMs);
  }

  /** Call `onReply`, `onUnanswered` or `onNotSent` before this function is called again. */
  takeUnsent(nowMs: number): Counted[] {
    this.#pending.count(nowMs);
    this.#sent = this.#pending;
    this.#pending = new SlidingWindow(this.limit);
    return this.#sent.slices.map(({ leavesAtMs, count }) => {
      const youngestMs = leavesAtMs - this.limit.windowMs;
      return [Math.max(0, Math.floor(nowMs - youngestMs)), count] as const;
    });
  }

  /** The count in the reply replaces the known count, so that a reset takes effect. */
  onReply(reply: CountReply, atMs: number): void {
    this.#known = new SlidingWindow(this.limit);
    this.#reply = { ...reply, atMs };
    this.#sent = undefined;
    this.#full.untilMs = 0;
    this.#blockedUntilMs = reply.blockedMs > 0 ? atMs + reply.blockedMs : 0;
  }

  /**
   * Redis may have counted these requests. They stay counted here and are not sent again, so no request counts twice.
   */
  onUnanswered(): void {
    this.#unpack();
    this.#known.merge(this.#sent?.slices ?? []);
    this.#sent = undefined;
  }

  onNotSent(): void {
    this.#pending.merge(this.#sent?.slices ?? []);
    this.#sent = undefined;
  }

  #countAtMost(nowMs: number): number {
    return (
      (this.#reply?.count ?? this.#known.count(nowMs)) +
      this.#pending.count(nowMs) +
      (this.#sent?.count(nowMs) ?? 0)
    );
  }

  #resetMs(nowMs: number): number {
    const reply = this.#reply;
    const oldest = [this.#known, this.#pending, this.#sent].map(
      (window) => window?.slices[0]?.leavesAtMs ?? Infinity,
    );
    const knownMs = reply && reply.count > 0 ? reply.atMs + reply.resetMs : Infinity;
    return Math.max(0, Math.min(knownMs, ...oldest) - nowMs);
  }

  #unpack(): void {
    if (!this.#reply) return;
    const { packed, atMs } = this.#reply;
    const slices: Slice[] = unpackSlices(packed).map(([leavesInMs, count]) => ({
      leavesAtMs: atMs + leavesInMs,
      count,
    }));
    this.#known.merge(slices);
    this.#reply = undefined;
  }
}
