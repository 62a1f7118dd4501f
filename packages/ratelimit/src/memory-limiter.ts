import { type AgentMap, createAgentMap } from './agent-map.ts';
import { excessOf, toDecision } from './decision.ts';
import { checkAgentId, checkLimits, type Limit, limitOf, sliceMsOf } from './limit.ts';
import type { RateLimiter } from './limiter.ts';
import { parseWhenAway, positiveInteger, type RateLimiterOptions } from './options.ts';
import { leftInMs, SlidingWindow } from './sliding-window.ts';

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
  const clock = options.clock ?? Date.now;
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
  const newWindow = (limit: Limit) => new SlidingWindow(limit.windowMs, sliceMsOf(limit));

  return {
    limits,
    async consume(action, agentId) {
      const { limit, agents } = find(action, agentId);
      const nowMs = clock();
      const window = agents.touch(agentId, nowMs, () => newWindow(limit));
      const allowed = window.count(nowMs) < limit.limit;
      if (allowed) window.add(nowMs);
      const count = window.count(nowMs);
      const resetMs = leftInMs(window.slices, nowMs, excessOf(limit, count));
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
