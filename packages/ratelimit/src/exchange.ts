import { RedisClientError, type RedisClient } from '@openclaw/redis-client';
import { countCall, parseCountReply, type WindowKeys } from './count-script.ts';
import type { LocalAgent } from './local-agent.ts';

/** Counters of the exchange, for metrics. */
export interface ExchangeStats {
  /** Exchanges that Redis answered, in whole or in part. */
  exchanges: number;
  /** Exchanges that were not sent or not answered. */
  exchangeFailures: number;
}

/** Who was asked about since the last exchange, and how that reaches Redis. */
export interface Exchange {
  touch(agent: LocalAgent): void;
  /** Sends what waits, at most `max` agents, in one pipeline. Never rejects; a call during a run joins it. */
  run(): Promise<void>;
  /** True when Redis refused all of the last exchange that it answered, as an ACL does: this process then counts alone. */
  readonly isRefused: boolean;
  /** How many agents wait. */
  readonly waiting: number;
}

/** Makes the {@link Exchange} of one limiter. */
export function createExchange(
  redis: RedisClient,
  max: number,
  clock: () => number,
  redisClock: (() => number) | undefined,
  stats: ExchangeStats,
): Exchange {
  const touched = new Set<LocalAgent>();
  let running: Promise<void> | undefined;
  let isRefused = false;

  async function send(): Promise<void> {
    const agents: { agent: LocalAgent; keys: WindowKeys }[] = [];
    for (const agent of touched) {
      if (agents.length === max) break;
      touched.delete(agent);
      if (agent.keys) agents.push({ agent, keys: agent.keys });
    }
    const nowMs = clock();
    const redisNowMs = redisClock?.();
    const calls = agents.map(({ agent, keys }) =>
      countCall(keys, agent.limit, agent.take(nowMs), { decided: true, nowMs: redisNowMs }),
    );
    try {
      const replies = await redis.pipeline(calls);
      const answeredAtMs = clock();
      let unanswered = 0;
      agents.forEach(({ agent }, place) => {
        const reply = replies[place];
        if (reply instanceof RedisClientError || reply === undefined) {
          agent.unanswered();
          touched.add(agent);
          unanswered += 1;
        } else {
          agent.received(parseCountReply(reply), answeredAtMs);
        }
      });
      isRefused = unanswered === agents.length;
      if (unanswered < agents.length) stats.exchanges += 1;
      if (unanswered > 0) stats.exchangeFailures += 1;
    } catch {
      stats.exchangeFailures += 1;
      for (const { agent } of agents) {
        agent.unsent();
        touched.add(agent);
      }
    }
  }

  return {
    touch: (agent) => void touched.add(agent),
    run() {
      if (running) return running;
      const isReachable = redis.available || redis.connecting;
      if (touched.size === 0 || !isReachable) return Promise.resolve();
      running = send().finally(() => (running = undefined));
      return running;
    },
    get isRefused() {
      return isRefused;
    },
    get waiting() {
      return touched.size;
    },
  };
}
