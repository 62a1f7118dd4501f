import {
  createAgentConnections,
  subscribeMaxMs,
  type AgentConnections,
} from './agent-connections.ts';
import { createOfflineSuspicions } from './offline-suspicions.ts';
import { createShownPresence, type Shown } from './shown-presence.ts';
import type { Violations } from './violations.ts';

export interface SeenPresence {
  readonly agentId: string;
  readonly status: string;
}

export interface PresenceTotals {
  readonly events: number;
  /** The number of false offline events that were corrected within a second. */
  readonly flickers: number;
}

export interface PresenceWatch {
  readonly connections: AgentConnections;
  readonly totals: PresenceTotals;
  onRedisLost(): void;
  /** Call it when every hub has its Redis again. */
  onRedisBack(): void;
  /** Call it when the subscriber has connected. What it saw on its earlier connection no longer counts. */
  begins(subscriber: string): void;
  ends(subscriber: string): void;
  /** `publishedMs` is the timestamp of the event's envelope. */
  onEvent(
    subscriber: string,
    channelId: string,
    presences: readonly SeenPresence[],
    publishedMs: number,
  ): void;
  /** Pass only lists that were not degraded. `askedMs` is the time of the subscriber's call. */
  onList(subscriber: string, channelId: string, agentIds: readonly string[], askedMs: number): void;
  /** Pass only lists that were not degraded. `askedMs` is the time of the request. */
  checkList(where: string, channelId: string, agentIds: readonly string[], askedMs: number): void;
  /** Call it every second. Reports the violations that have become certain. */
  sweep(): void;
  /** From this time on, every difference is a violation: no lease, subscribe or recent change can explain it. */
  readonly settledAtMs: number;
}

/** Must be the length of the hubs' leases. */
export const leaseMs = 30_000;
/** Hubs compare rosters every 15 s, so every wrong view must be corrected within this time. */
const staleMs = 25_000;
/** After a wipe, heartbeats restore the roster within 10 s. */
const rewrittenMs = 15_000;
const ghostMarginMs = 5_000;
/** A slower answer may be out of date, so it is not compared. */
const answerMaxMs = 5_000;

export function createPresenceWatch(
  violations: Violations,
  now: () => number = Date.now,
): PresenceWatch {
  const connections = createAgentConnections(now);
  const suspicions = createOfflineSuspicions(connections, violations, now);
  const shown = createShownPresence(now);
  const reported = new Set<string>();
  let events = 0;
  let redisFaults = 0;
  let redisBackMs = 0;

  const redisSinceMs = () => (redisFaults > 0 ? Infinity : redisBackMs);

  /** Returns how long the status has been wrong. Returns 0 while the hubs still have time to correct it. */
  function wrongMs({ agentId, channelId, isOnline, sinceMs }: Shown): number {
    const changedMs = isOnline
      ? connections.closedAtMs(agentId)
      : connections.presentSinceMs(agentId, channelId);
    const lastsMs = now() - Math.max(sinceMs, redisSinceMs(), changedMs);
    return lastsMs > (isOnline ? leaseMs + staleMs : staleMs) ? lastsMs : 0;
  }

  function judgeShown() {
    const wrong = [...shown.all()].filter((it) => wrongMs(it) > 0);
    // If many subscribers see one agent wrongly, this is one violation.
    for (const all of Map.groupBy(wrong, (it) => `${it.agentId} ${it.isOnline}`).values()) {
      const { agentId, isOnline, subscriber, channelId, sinceMs } = all[0] as Shown;
      const status = isOnline ? 'online' : 'offline';
      const others = all.length > 1 ? ` and ${all.length - 1} more` : '';
      const seconds = Math.round(wrongMs(all[0] as Shown) / 1000);
      violations.add(
        `false ${status}`,
        `${agentId} stays ${status} to ${subscriber} in ${channelId}${others} for ${seconds} s; ${connections.describe(agentId, channelId)}`,
        isOnline ? connections.closedAtMs(agentId) : sinceMs,
      );
      for (const it of all) it.markReported();
    }
  }

  function reportOnce(kind: 'ghost' | 'false offline', key: string, text: string) {
    if (reported.has(key)) return;
    reported.add(key);
    violations.add(kind, text);
  }

  return {
    connections: connections,
    get totals() {
      return { events, flickers: suspicions.flickers };
    },
    onRedisLost: () => void (redisFaults += 1),
    onRedisBack() {
      redisFaults -= 1;
      redisBackMs = now();
    },
    begins: (subscriber) => shown.begins(subscriber),
    ends: (subscriber) => shown.ends(subscriber),
    onEvent(subscriber, channelId, presences, publishedMs) {
      events += 1;
      for (const { agentId, status } of presences) {
        const isOnline = status !== 'offline';
        shown.show(subscriber, channelId, agentId, isOnline);
        if (isOnline) suspicions.onOnline(agentId, subscriber, channelId);
        else suspicions.onOffline({ agentId, subscriber, channelId, publishedMs });
      }
    },
    onList(subscriber, channelId, agentIds, askedMs) {
      for (const agentId of agentIds) shown.show(subscriber, channelId, agentId, true, askedMs);
    },
    checkList(where, channelId, agentIds, askedMs) {
      if (now() - askedMs > answerMaxMs) return;
      const checkList = new Set(agentIds);
      const tell = (what: string, agentId: string) =>
        `${agentId} is ${what} in ${channelId} by ${where}; ${connections.describe(agentId, channelId)}`;
      for (const agentId of checkList) {
        const goneMs = Math.max(connections.closedAtMs(agentId), redisSinceMs());
        if (askedMs - goneMs > leaseMs + ghostMarginMs)
          reportOnce('ghost', `ghost ${agentId}`, tell('listed', agentId));
      }
      for (const agentId of connections.agents) {
        const presentMs = connections.presentSinceMs(agentId, channelId);
        const sinceMs = Math.max(presentMs, redisSinceMs());
        if (!checkList.has(agentId) && askedMs - sinceMs > rewrittenMs)
          reportOnce('false offline', `${agentId} ${sinceMs}`, tell('not listed', agentId));
      }
    },
    sweep() {
      suspicions.evaluate();
      judgeShown();
    },
    get settledAtMs() {
      const lastMs = Math.max(connections.lastClosedMs, redisBackMs, connections.lastChangeMs);
      return lastMs + Math.max(leaseMs, subscribeMaxMs) + staleMs + 2_000;
    },
  };
}
