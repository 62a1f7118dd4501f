import type { ChatStore } from '@openclaw/chat-store';
import type { PublishPath } from '../recovery/self-probe.ts';
import type { RedisReport, RedisState } from './redis-state.ts';

/** Readiness for traffic, with the state of each dependency. */
export interface Readiness {
  report(): Promise<ReadinessReport>;
  /** From now on the hub reports that it is draining, so not ready. */
  drain(): void;
}

/** The answer of `/readyz`; its status is 200 when `ready`. */
export interface ReadinessReport {
  readonly ready: boolean;
  readonly hubId: string;
  readonly draining: boolean;
  /** Without the database no send is accepted, so the hub is not ready. */
  readonly database: { readonly status: 'ok' | 'down'; readonly latencyMs: number | null };
  /** Without a Redis that accepts writes the hub works on alone, so it stays ready. */
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

/** Creates the readiness report of one hub. */
export function createReadiness({ hubId, store, redis, publishPath }: ReadinessDeps): Readiness {
  let draining = false;
  // Anybody may call this, and the store runs few health checks at a time: concurrent callers share one answer.
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
    drain() {
      draining = true;
    },
  };
}
