import type { AgentActivityReport } from '@openclaw/protocol';
import { LRUCache } from 'lru-cache';
import { isFault, type CallOutcome } from '../calls/failure.ts';
import { RecentCount } from './recent-count.ts';

/** Past this number, the agent that was quiet longest is forgotten. */
const maxAgents = 20_000;
/** Past this number, the agent that was addressed longest ago is forgotten. */
const maxAddressed = 8;
/** Reports omit agents that were addressed less often than this in the last minute. */
const leastAddressed = 3;

const lastMinute = () => new RecentCount(10_000, 6);
const lastTenMinutes = () => new RecentCount(60_000, 10);

/** Every send writes `sent` and `lastSentMs` directly, to save a function call. */
export interface AgentActivity {
  sent: number;
  lastSentMs: number;
  /** The part of `sent` that `messages` already includes. */
  counted: number;
  readonly messages: RecentCount;
  readonly refusals: RecentCount;
  readonly errors: RecentCount;
  lastRefusal: { readonly code: string; readonly at: number } | null;
  readonly addressed: Map<string, RecentCount>;
}

export function createAgentActivity(clock = Date.now) {
  const agents = new LRUCache<string, AgentActivity>({ max: maxAgents });

  function of(agentId: string): AgentActivity {
    const known = agents.get(agentId);
    if (known) return known;
    const created: AgentActivity = {
      ...{ sent: 0, lastSentMs: 0, counted: 0, lastRefusal: null, addressed: new Map() },
      ...{ messages: lastMinute(), refusals: lastTenMinutes(), errors: lastTenMinutes() },
    };
    agents.set(agentId, created);
    return created;
  }

  return {
    /** Every send reads `agents`, so it is a map and not a function. */
    agents: agents as Pick<typeof agents, 'get' | 'keys'>,
    of,
    unsuccessful(agentId: string, outcome: CallOutcome): void {
      // The client has gone, so the outcome says nothing about the agent.
      if (outcome === 'abandoned') return;
      const activity = of(agentId);
      const nowMs = clock();
      if (isFault(outcome)) return activity.errors.add(1, nowMs);
      activity.refusals.add(1, nowMs);
      activity.lastRefusal = { code: outcome, at: nowMs };
    },
    addressed: (sender: string, others: readonly string[]): void => {
      const { addressed } = of(sender);
      const nowMs = clock();
      for (const agentId of others.slice(0, maxAddressed)) {
        const count = addressed.get(agentId) ?? lastMinute();
        count.add(1, nowMs);
        // Moves the agent to the end: the map is ordered by when each agent was last addressed.
        addressed.delete(agentId);
        addressed.set(agentId, count);
        const oldest = addressed.keys().next().value;
        if (addressed.size > maxAddressed && oldest !== undefined) addressed.delete(oldest);
      }
    },
    /**
     * Null when this hub knows nothing of the agent. Call it every few seconds: all messages since the last call are
     * counted as sent at the time of this call.
     */
    reportOf(agentId: string): AgentActivityReport | null {
      // `peek` does not count as use. Otherwise reports would keep every agent from being forgotten.
      const activity = agents.peek(agentId);
      if (activity === undefined) return null;
      const nowMs = clock();
      const { sent, counted, messages, addressed, lastSentMs } = activity;
      messages.add(sent - counted, nowMs);
      activity.counted = sent;
      return {
        messagesPerMinute: messages.sum(nowMs),
        lastMessageAt: lastSentMs === 0 ? null : lastSentMs,
        refusals: activity.refusals.sum(nowMs),
        lastRefusal: activity.lastRefusal,
        errors: activity.errors.sum(nowMs),
        addresses: [...addressed]
          .map(([other, count]) => ({ agentId: other, perMinute: count.sum(nowMs) }))
          .filter(({ perMinute }) => perMinute >= leastAddressed)
          .sort((a, b) => b.perMinute - a.perMinute),
      };
    },
  };
}

export type AgentActivities = ReturnType<typeof createAgentActivity>;
