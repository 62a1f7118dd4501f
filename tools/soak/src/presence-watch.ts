import { createAgentLives, type AgentLives } from './agent-lives.ts';
import type { Violations } from './violations.ts';

/** What a subscriber is told of one agent. */
export interface SeenPresence {
  readonly agentId: string;
  readonly status: string;
}

/** How many flickers and events were seen. */
export interface PresenceTotals {
  readonly events: number;
  /** Offline although alive, and corrected within a second. */
  readonly flickers: number;
}

/** Holds what subscribers are shown of presence against what is true of the agents. */
export interface PresenceWatch {
  readonly lives: AgentLives;
  readonly totals: PresenceTotals;
  /** Redis is being taken away from a hub. */
  redisAway(): void;
  /** All hubs have their Redis again. */
  redisBack(): void;
  /** The subscriber was away: what it was shown before counts no more. */
  begins(subscriber: string): void;
  ends(subscriber: string): void;
  /** A presence event; `publishedMs` is its envelope's timestamp. */
  saw(
    subscriber: string,
    channelId: string,
    presences: readonly SeenPresence[],
    publishedMs: number,
  ): void;
  /** A page of `presence.list`, asked for at `askedMs`, that was not degraded; `subscriber` null: nobody's own. */
  listed(
    where: string,
    subscriber: string | null,
    channelId: string,
    agentIds: readonly string[],
    askedMs: number,
  ): void;
  /** Judges what has become certain since. To be called each second. */
  sweep(): void;
  /** When everything that should be gone must be gone. */
  readonly settledAtMs: number;
}

/** The hub's lease. */
export const leaseMs = 30_000;
/** From the welcome until the agent must count as present: the resubscribe, and a breaker that opens. */
export const settleMs = 2_000;
/** Before a loss that the client notices, its hub may have noticed it already. */
const noticeMs = 1_000;
/** A wrong offline that is taken back within this is a flicker. */
const correctionMs = 1_000;
/** The hubs compare rosters each 15 s; what is wrong for longer stays wrong. */
const staleMs = 25_000;
/** Heartbeats write a wiped roster again within 10 s. */
const rewrittenMs = 15_000;
const ghostMarginMs = 5_000;

interface View {
  isOnline: boolean;
  sinceMs: number;
  isReported: boolean;
}

interface Suspicion {
  readonly agentId: string;
  readonly subscriber: string;
  readonly channelId: string;
  readonly publishedMs: number;
  readonly seenMs: number;
  isCorrected: boolean;
}

/** Creates a watch that knows nothing yet; `now` is the wall clock. */
export function createPresenceWatch(
  violations: Violations,
  now: () => number = Date.now,
): PresenceWatch {
  const lives = createAgentLives(now);
  const totals = { events: 0, flickers: 0 };
  /** subscriber → `channelId agentId` → what it is shown. */
  const views = new Map<string, Map<string, View>>();
  const begunMs = new Map<string, number>();
  let suspicions: Suspicion[] = [];
  const reportedGhosts = new Set<string>();
  let isRedisAway = false;
  let redisBackMs = 0;

  const redisSinceMs = () => (isRedisAway ? Infinity : redisBackMs);

  function show(subscriber: string, channelId: string, agentId: string, isOnline: boolean) {
    const view = views.get(subscriber);
    const key = `${channelId} ${agentId}`;
    const before = view?.get(key);
    if (before?.isOnline !== isOnline)
      view?.set(key, { isOnline, sinceMs: now(), isReported: false });
  }

  function judgeSuspicions(nowMs: number) {
    const open: Suspicion[] = [];
    for (const suspicion of suspicions) {
      const { agentId, publishedMs, seenMs, subscriber, channelId } = suspicion;
      if (nowMs < Math.max(publishedMs + noticeMs, seenMs + correctionMs)) {
        open.push(suspicion);
      } else if (lives.wasLive(agentId, publishedMs - settleMs, publishedMs + noticeMs)) {
        if (suspicion.isCorrected) totals.flickers += 1;
        else
          violations.add(
            'false offline',
            `${agentId} was shown offline to ${subscriber} in ${channelId}, published at ${new Date(publishedMs).toISOString()}; ${lives.describe(agentId)}`,
            publishedMs,
          );
      }
    }
    suspicions = open;
  }

  function judgeViews(nowMs: number) {
    for (const [subscriber, view] of views) {
      const begun = begunMs.get(subscriber);
      if (begun === undefined) continue;
      for (const [key, shown] of view) {
        if (shown.isReported) continue;
        const [channelId = '', agentId = ''] = key.split(' ');
        const sinceMs = Math.max(shown.sinceMs, begun, redisSinceMs());
        const forS = () => `${((nowMs - sinceMs) / 1000).toFixed(0)} s`;
        if (!shown.isOnline && nowMs - Math.max(sinceMs, lives.liveSinceMs(agentId)) > staleMs) {
          shown.isReported = true;
          const text = `${agentId} stays offline to ${subscriber} in ${channelId} for ${forS()}`;
          violations.add('false offline', `${text}; ${lives.describe(agentId)}`, shown.sinceMs);
        }
        const goneMs = Math.max(sinceMs, lives.closedAtMs(agentId));
        if (shown.isOnline && nowMs - goneMs > leaseMs + staleMs) {
          shown.isReported = true;
          const text = `${agentId} stays online to ${subscriber} in ${channelId} for ${forS()}`;
          violations.add('false online', `${text}; ${lives.describe(agentId)}`);
        }
      }
    }
  }

  return {
    lives,
    totals,
    redisAway: () => void (isRedisAway = true),
    redisBack() {
      isRedisAway = false;
      redisBackMs = now();
    },
    begins(subscriber) {
      views.set(subscriber, new Map());
      begunMs.set(subscriber, now());
    },
    ends(subscriber) {
      views.delete(subscriber);
      begunMs.delete(subscriber);
    },
    saw(subscriber, channelId, presences, publishedMs) {
      totals.events += 1;
      for (const { agentId, status } of presences) {
        const isOnline = status !== 'offline';
        show(subscriber, channelId, agentId, isOnline);
        const isTold = (it: Suspicion) =>
          it.agentId === agentId && it.subscriber === subscriber && it.channelId === channelId;
        if (isOnline)
          suspicions.filter(isTold).forEach((suspicion) => (suspicion.isCorrected = true));
        else
          suspicions.push({
            ...{ agentId, subscriber, channelId, publishedMs },
            ...{ seenMs: now(), isCorrected: false },
          });
      }
    },
    listed(where, subscriber, channelId, agentIds, askedMs) {
      const listed = new Set(agentIds);
      const view = subscriber === null ? undefined : views.get(subscriber);
      for (const agentId of listed) {
        // An event that came since is newer than the page.
        const shown = view?.get(`${channelId} ${agentId}`);
        if (subscriber !== null && (shown === undefined || shown.sinceMs < askedMs))
          show(subscriber, channelId, agentId, true);
        const goneMs = Math.max(lives.closedAtMs(agentId), redisSinceMs());
        const key = `${channelId} ${agentId}`;
        if (askedMs - goneMs > leaseMs + ghostMarginMs && !reportedGhosts.has(key)) {
          reportedGhosts.add(key);
          violations.add(
            'ghost',
            `${agentId} is listed in ${channelId} by ${where}; ${lives.describe(agentId)}`,
          );
        }
      }
      if (subscriber !== null) return;
      for (const agentId of lives.agents) {
        const sinceMs = Math.max(lives.liveSinceMs(agentId), redisSinceMs());
        if (!listed.has(agentId) && askedMs - sinceMs > rewrittenMs && now() - askedMs < 5_000)
          violations.add(
            'false offline',
            `${agentId} is not listed in ${channelId} by ${where}; ${lives.describe(agentId)}`,
          );
      }
    },
    sweep() {
      const nowMs = now();
      judgeSuspicions(nowMs);
      judgeViews(nowMs);
    },
    get settledAtMs() {
      const lastMs = Math.max(lives.lastClosedMs, redisBackMs, lives.lastChangeMs);
      return lastMs + leaseMs + staleMs + 2_000;
    },
  };
}
