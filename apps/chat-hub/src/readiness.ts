import type { ChatStore } from '@openclaw/chat-store';
import type { RedisClient } from '@openclaw/redis-client';

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
  /** Without Redis the hub goes on alone, so it stays ready and says so. */
  readonly redis: Awaited<ReturnType<RedisClient['health']>>;
}

/** Creates the readiness report of one hub. */
export function createReadiness(hubId: string, store: ChatStore, redis: RedisClient): Readiness {
  let draining = false;
  return {
    async report() {
      const [database, redisHealth] = await Promise.all([store.health(), redis.health()]);
      return {
        ready: !draining && database.status === 'ok',
        hubId,
        draining,
        database: { status: database.status, latencyMs: database.latencyMs },
        redis: redisHealth,
      };
    },
    drain() {
      draining = true;
    },
  };
}
