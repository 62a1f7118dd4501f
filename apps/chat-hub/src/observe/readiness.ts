import { setTimeout as delay } from 'node:timers/promises';
import type { ChatStore } from '@openclaw/chat-store';
import type { PresenceTracker } from '@openclaw/presence';
import type { RedisClient, RedisHealth } from '@openclaw/redis-client';
import type { OwnOutage } from '../recovery/own-outage.ts';
import type { PublishPath } from '../recovery/self-probe.ts';
import type { DatabaseState } from './service-reports.ts';
import type { HubState } from './scraped-metrics.ts';

export type RedisReport = Omit<RedisHealth, 'refusal'> & {
  /** `NOPERM` means that the ACL of Redis denies this hub the commands of presence. */
  readonly refusal: RedisHealth['refusal'] | 'NOPERM';
};

/** Readyz, metrics, the operations view and presence lists all use this one state. */
export interface RedisState {
  /** True while Redis answers, accepts writes, and allows presence to write. */
  readonly available: boolean;
  /** Never rejects. */
  health(): Promise<RedisReport>;
  /** Reuses a report for up to 5 s while availability does not change, because INFO is a few kilobytes of text. */
  recentHealth(): Promise<RedisReport>;
}

const recentMs = 5_000;

/** Redis counts as available only if presence can write, because presence uses the most Redis commands. */
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

export interface Readiness {
  /** Never rejects, and takes at most about a second while Redis hangs. */
  report(): Promise<ReadinessReport | StartingReport>;
  readonly state: HubState;
  drain(): void;
}

export type UnreadyReason =
  | 'starting'
  | 'draining'
  /** A newer release has migrated the database, so this release must not use it. */
  | 'newer_schema'
  /** The SQLite file of this hub does not answer. */
  | 'database_file'
  /** Another hub reaches the database, but this one does not. */
  | 'database_of_this_hub';

/**
 * The HTTP status is 200 when `ready`. A balancer sends no clients to a hub that is not ready. This helps only when
 * other hubs work. A hub therefore stays ready during an outage of a database or Redis that all hubs share.
 */
export interface ReadinessReport {
  readonly ready: boolean;
  readonly reason: UnreadyReason | null;
  readonly hubId: string;
  readonly state: HubState;
  readonly draining: boolean;
  /**
   * True while the database, Redis or the publish path does not work, whether for this hub or for all hubs. A Redis
   * that is not used does not count.
   */
  readonly degraded: boolean;
  /** No send is accepted while the database is down or refuses writes. */
  readonly database: {
    readonly status: 'ok' | 'refusing_writes' | 'down';
    readonly latencyMs: number | null;
  };
  /** While Redis is down or refuses writes, the hub works without it. */
  readonly redis: RedisReport;
  /** While the publish path is down, this hub reads the events of other hubs from the log. */
  readonly publishPath: PublishPath;
}

export interface StartingReport {
  readonly ready: false;
  readonly reason: 'starting';
  readonly hubId: string;
  readonly state: 'starting';
  readonly draining: false;
}

export interface ReadinessDeps {
  readonly hubId: string;
  readonly store: Pick<ChatStore, 'health' | 'newerSchema'>;
  readonly database: Pick<DatabaseState, 'isUp'>;
  readonly ownOutage: Pick<OwnOutage, 'isAlone'>;
  readonly redis: Pick<RedisState, 'health'>;
  readonly publishPath: () => PublishPath;
}

/** The time is short, because balancers wait for a report only a second or two. */
const healthMs = 500;
const late = Symbol('late');

export function createReadiness(deps: ReadinessDeps): Readiness {
  const { hubId, store, database, ownOutage, redis, publishPath } = deps;
  let draining = false;
  // Anybody may request a report, and the store runs few health checks at a time. Concurrent requests therefore share
  // one check.
  let pending: ReturnType<typeof check> | undefined;

  /** If the store does not answer in time, the outcomes of the latest calls decide. */
  async function databaseHealth() {
    const timer = new AbortController();
    const health = await Promise.race([
      store.health(),
      delay(healthMs, late, { signal: timer.signal }),
    ]);
    timer.abort();
    if (health !== late) return health;
    return { status: database.isUp ? ('ok' as const) : ('down' as const), latencyMs: null };
  }

  function check() {
    return Promise.all([databaseHealth(), redis.health()]).finally(() => (pending = undefined));
  }

  /** Ignores a fault that all hubs share, see {@link ReadinessReport}. */
  function unreadyReason(health: Awaited<ReturnType<typeof databaseHealth>>): UnreadyReason | null {
    if (draining) return 'draining';
    // Not all hubs share this fault: hubs of the newer release serve clients now, or soon will.
    if (store.newerSchema !== null) return 'newer_schema';
    if (health.status === 'down' && 'engine' in health && health.engine === 'sqlite')
      return 'database_file';
    return ownOutage.isAlone ? 'database_of_this_hub' : null;
  }

  return {
    async report() {
      const [health, redisHealth] = await (pending ??= check());
      const path = publishPath();
      const isRefusing = health.status === 'ok' && !database.isUp;
      const status = isRefusing ? 'refusing_writes' : health.status;
      const isRedisMissed = path.status !== 'unused' && redisHealth.status !== 'ok';
      const reason = unreadyReason(health);
      return {
        ready: reason === null,
        reason,
        hubId,
        state: draining ? 'draining' : 'serving',
        draining,
        degraded: status !== 'ok' || isRedisMissed || path.status === 'down',
        database: { status, latencyMs: health.latencyMs },
        redis: redisHealth,
        publishPath: path,
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

const starting = {
  ready: false,
  reason: 'starting',
  state: 'starting',
  draining: false,
} as const;

export function createStartReadiness(
  hubId: string,
): Readiness & { started(readiness: Readiness): void } {
  let current: Readiness | null = null;
  return {
    async report() {
      return current?.report() ?? { ...starting, hubId };
    },
    get state() {
      return current?.state ?? 'starting';
    },
    drain: () => current?.drain(),
    started: (readiness) => void (current = readiness),
  };
}
