import type { ChatStore } from '@openclaw/chat-store';
import type { PresenceTracker } from '@openclaw/presence';
import type { RedisClient, RedisHealth } from '@openclaw/redis-client';
import type { PublishPath } from '../recovery/self-probe.ts';
import type { HubState } from './scraped-metrics.ts';

/** The state of Redis, for operators. */
export type RedisReport = Omit<RedisHealth, 'refusal'> & {
  /** Why Redis refuses writes. `NOPERM`: its ACL denies this hub the commands of presence. */
  readonly refusal: RedisHealth['refusal'] | 'NOPERM';
};

/** The single source for the state of Redis: readyz, metrics, the operations view and presence lists use it. */
export interface RedisState {
  /** True while Redis is in use: it answers, accepts writes, and allows presence to write. */
  readonly available: boolean;
  /** Never rejects. */
  health(): Promise<RedisReport>;
  /** Like `health`, but up to 5 s old while availability does not change, because INFO is a few kilobytes of text. */
  recentHealth(): Promise<RedisReport>;
}

const recentMs = 5_000;

/** Combines the client's health with that of presence, the feature with the most Redis commands. */
export function createRedisState(
  redis: Pick<RedisClient, 'health'>,
  tracker: Pick<PresenceTracker, 'degraded'>,
): RedisState {
  let recent: {
    readonly atMs: number;
    readonly isAvailable: boolean;
    readonly health: Promise<RedisReport>;
  } | null = null;

  async function health(): Promise<RedisReport> {
    const found = await redis.health();
    return found.status === 'ok' && tracker.degraded
      ? { ...found, status: 'refusing_writes', refusal: 'NOPERM' }
      : found;
  }

  return {
    get available() {
      return !tracker.degraded;
    },
    health,
    recentHealth() {
      const isAvailable = !tracker.degraded;
      const atMs = performance.now();
      if (!recent || atMs - recent.atMs >= recentMs || recent.isAvailable !== isAvailable)
        recent = { atMs, isAvailable, health: health() };
      return recent.health;
    },
  };
}

/** Readiness for traffic, with the state of each dependency. */
export interface Readiness {
  report(): Promise<ReadinessReport>;
  readonly state: HubState;
  /** From this call on, the hub reports that it is draining and therefore not ready. */
  drain(): void;
}

/** The answer of `/readyz`; its status is 200 when `ready`. */
export interface ReadinessReport {
  readonly ready: boolean;
  readonly hubId: string;
  readonly draining: boolean;
  /** Without the database no send is accepted, so the hub is not ready. */
  readonly database: { readonly status: 'ok' | 'down'; readonly latencyMs: number | null };
  /** Without a Redis that accepts writes the hub continues by itself, so it stays ready. */
  readonly redis: RedisReport;
  /** While it is down, events of other hubs arrive through the log, so the hub stays ready. */
  readonly publishPath: PublishPath;
}

export interface ReadinessDeps {
  readonly hubId: string;
  readonly store: Pick<ChatStore, 'health'>;
  readonly redis: Pick<RedisState, 'health'>;
  readonly publishPath: () => PublishPath;
}

export function createReadiness({ hubId, store, redis, publishPath }: ReadinessDeps): Readiness {
  let draining = false;
  // Anybody may call this, and the store runs few health checks at a time. So concurrent callers share one answer.
  let pending: ReturnType<typeof check> | undefined;

  function check() {
    return Promise.all([store.health(), redis.health()]).finally(() => (pending = undefined));
  }

  return {
    async report() {
      const [database, redisHealth] = await (pending ??= check());
      return {
        ready: !draining && database.status === 'ok',
        hubId,
        draining,
        database: { status: database.status, latencyMs: database.latencyMs },
        redis: redisHealth,
        publishPath: publishPath(),
      };
    },
    get state() {
      return draining ? 'draining' : 'serving';
    },
    drain() {
      draining = true;
    },
  };
}
