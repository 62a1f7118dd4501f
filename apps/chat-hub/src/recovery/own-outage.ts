import { isNameId, ttlMs, type KeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import type { Logger } from 'pino';
import type { DatabaseState } from '../observe/service-reports.ts';

/** An announcement lives long enough that one may be lost. */
const announceEveryMs = 4_000;
const lookEveryMs = 1_000;
/**
 * How long the database is down before this hub looks for others that reach it. Each announcement that it finds then was
 * made after the beginning of the outage, because older ones have expired. No clock is compared.
 */
const lookAfterMs = ttlMs.databaseHub + 2_000;
/** Looks that Redis may fail in a row before what was found earlier is dropped. */
const maxFailedLooks = 5;

/** Tells an outage of the database that this hub has alone from one that all hubs share. */
export interface OwnOutage {
  /** True while another hub reaches the database and this one does not. False while this hub cannot know. */
  readonly isAlone: boolean;
  /** Call it when the database has taken a write of this hub. Announces that to the other hubs at times. */
  databaseAnswered(): void;
  close(): void;
}

export interface OwnOutageDeps {
  readonly hubId: string;
  readonly redis: Pick<RedisClient, 'send'>;
  readonly keys: Pick<KeySchema, 'databaseHub'>;
  readonly database: Pick<DatabaseState, 'downMs'>;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
}

/**
 * Starts the watch. A hub that reaches the database sets one key in Redis every 4 s, and looks at nothing. A hub that has
 * lost it for 12 s reads this key every second. Without Redis nothing is known, and the outage counts as shared.
 * `clock` is monotonic time in ms.
 */
export function startOwnOutageWatch(
  { hubId, redis, keys, database, log }: OwnOutageDeps,
  clock = () => performance.now(),
): OwnOutage {
  const key = keys.databaseHub();
  let announcedMs = -Infinity;
  /** Another hub that reaches the database, as of the last look. */
  let otherHub: string | null = null;
  let failedLooks = 0;
  let isLooking = false;

  const isLong = () => database.downMs >= lookAfterMs;

  function found(hub: string | null): void {
    if (hub !== null && otherHub === null)
      log.warn({ otherHub: hub }, 'another hub reaches the database: this hub is not ready');
    // The end of the outage itself is logged by the state of the database.
    if (hub === null && otherHub !== null && isLong())
      log.warn('no other hub is known to reach the database: this hub is ready');
    otherHub = hub;
  }

  async function look(): Promise<void> {
    if (!isLong()) {
      failedLooks = 0;
      return found(null);
    }
    try {
      const value = await redis.send(['get', key]);
      failedLooks = 0;
      const isOther = typeof value === 'string' && isNameId(value) && value !== hubId;
      found(isOther ? value : null);
    } catch (error) {
      log.debug({ err: error }, 'Redis does not say which hubs reach the database');
      failedLooks += 1;
      if (failedLooks > maxFailedLooks) found(null);
    }
  }

  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => (isLooking = false));
  }, lookEveryMs);
  timer.unref();

  return {
    get isAlone() {
      return otherHub !== null && isLong();
    },
    databaseAnswered() {
      const nowMs = clock();
      // Beats may be written while reads fail.
      if (database.downMs > 0 || nowMs - announcedMs < announceEveryMs) return;
      announcedMs = nowMs;
      redis
        .send(['set', key, hubId, 'PX', String(ttlMs.databaseHub)])
        .catch((error: unknown) =>
          log.debug({ err: error }, 'other hubs were not told that the database answers'),
        );
    },
    close: () => clearInterval(timer),
  };
}
