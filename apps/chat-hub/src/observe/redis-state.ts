import type { PresenceTracker } from '@openclaw/presence';
import type { RedisClient, RedisHealth } from '@openclaw/redis-client';

/** The state of Redis, for operators. */
export type RedisReport = Omit<RedisHealth, 'refusal'> & {
  /** Why it takes no writes. `NOPERM`: its ACL denies this hub what presence has to write. */
  readonly refusal: RedisHealth['refusal'] | 'NOPERM';
};

/** The one source for the state of Redis: readyz, metrics, the operations view and presence lists agree on it. */
export interface RedisState {
  /** True while Redis is in use: it answers, takes writes, and presence may write. */
  readonly available: boolean;
  /** Never rejects. */
  health(): Promise<RedisReport>;
}

/** Creates the state over the client and its most demanding user. */
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
