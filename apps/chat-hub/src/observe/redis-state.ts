import type { PresenceTracker } from '@openclaw/presence';
import type { RedisClient, RedisHealth } from '@openclaw/redis-client';

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
}

/** Combines the client's health with that of presence, the feature with the most Redis commands. */
export function createRedisState(
  redis: Pick<RedisClient, 'health'>,
  tracker: Pick<PresenceTracker, 'degraded'>,
): RedisState {
  return {
    get available() {
      return !tracker.degraded;
    },
    async health() {
      const health = await redis.health();
      return health.status === 'ok' && tracker.degraded
        ? { ...health, status: 'refusing_writes', refusal: 'NOPERM' }
        : health;
    },
  };
}
