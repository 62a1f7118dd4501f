import { RedisClientError, type RedisClient } from '@openclaw/redis-client';
import { countCall, parseCountReply, type WindowKeys } from './count-script.ts';
import type { LocalAgent } from './local-agent.ts';

/** Counters of the exchange, for metrics. */
export interface ExchangeStats {
  /** Exchanges that Redis answered, at least in part. */
  exchanges: number;
  /** Exchanges that were not sent or not answered. */
  exchangeFailures: number;
}

/** Sends the counts of agents that made requests since the last exchange, and receives those of all processes. */
export interface Exchange {
  /** The agent takes part in the next exchange. */
  add(agent: LocalAgent): void;
  /** Exchanges at most `max` agents in one pipeline. Never rejects; a call during a run shares it. */
  run(): Promise<void>;
  /** True if Redis refused the whole last exchange, as with an ACL: this process then counts alone. */
  readonly isRefused: boolean;
  /** The number of agents in the next exchanges. */
  readonly waiting: number;
}

export function createExchange(
  redis: RedisClient,
  max: number,
  clock: () => number,
  redisClock: (() => number) | undefined,
  stats: ExchangeStats,
): Exchange {
  const pending = new Set<LocalAgent>();
  let running: Promise<void> | undefined;
  let isRefused = false;

  async function send(): Promise<void> {
    const agents: { agent: LocalAgent; keys: WindowKeys }[] = [];
    for (const agent of pending) {
      if (agents.length === max) break;
      pending.delete(agent);
      if (agent.keys) agents.push({ agent, keys: agent.keys });
    }
    const nowMs = clock();
    const redisNowMs = redisClock?.();
    const calls = agents.map(({ agent, keys }) =>
      countCall(keys, agent.limit, agent.takeUnsent(nowMs), { decided: true, nowMs: redisNowMs }),
    );
    try {
      const replies = await redis.pipeline(calls);
      const answeredAtMs = clock();
      let unanswered = 0;
      agents.forEach(({ agent }, at) => {
        const reply = replies[at];
        if (reply instanceof RedisClientError || reply === undefined) {
          agent.onUnanswered();
          pending.add(agent);
          unanswered += 1;
        } else {
          agent.onReply(parseCountReply(reply), answeredAtMs);
        }
      });
      isRefused = unanswered === agents.length;
      if (unanswered < agents.length) stats.exchanges += 1;
      if (unanswered > 0) stats.exchangeFailures += 1;
    } catch {
      stats.exchangeFailures += 1;
      for (const { agent } of agents) {
        agent.onNotSent();
        pending.add(agent);
      }
    }
  }

  return {
    add: (agent) => void pending.add(agent),
    run() {
      if (running) return running;
      const isReachable = redis.available || redis.connecting;
      if (pending.size === 0 || !isReachable) return Promise.resolve();
      running = send().finally(() => (running = undefined));
      return running;
    },
    get isRefused() {
      return isRefused;
    },
    get waiting() {
      return pending.size;
    },
  };
}
