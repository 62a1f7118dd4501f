import type { ChatStore } from '@openclaw/chat-store';
import type { PublishPath } from '../recovery/self-probe.ts';
import type { RedisReport, RedisState } from './redis-state.ts';

/** Whether this hub is fit for traffic, and each dependency's state. */
export interface Readiness {
  report(): Promise<ReadinessReport>;
  /** From now on the hub is not ready: it is draining. */
  drain(): void;
}

/** What `/readyz` answers; 200 when `ready`. */
export interface ReadinessReport {
  readonly ready: boolean;
  readonly hubId: string;
  readonly draining: boolean;
  /** Without the database no send is taken, so the hub is not ready. */
  readonly database: { readonly status: 'ok' | 'down'; readonly latencyMs: number | null };
  /** Without Redis, or one that takes writes, the hub goes on alone, so it stays ready and says so. */
  readonly redis: RedisReport;
  /** Whether what this hub publishes comes back to it; where not, events come by the log, so it stays ready. */
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
  // Anyone may ask, and the store has few places for such questions: all who ask at a time share one answer.
  let looking: ReturnType<typeof look> | undefined;

  function look() {
    return Promise.all([store.health(), redis.health()]).finally(() => (looking = undefined));
  }

  return {
    async report() {
      const [database, redisHealth] = await (looking ??= look());
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
