import { isNameId, ttlMs, type KeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import type { Logger } from 'pino';
import type { DatabaseState } from '../observe/service-reports.ts';

/** Less than half of an announcement's lifetime, so that the loss of one announcement does no harm. */
const announceEveryMs = 4_000;
const lookEveryMs = 1_000;
/**
 * If every look finds another hub's announcement for this long, only this hub is cut off. By then, announcements from
 * before the outage have expired. After an outage of all hubs, they all reach the database again within this time, so
 * none counts as cut off.
 */
const aloneAfterMs = ttlMs.databaseHub + 2_000;
/** Past this number of failed looks in a row, earlier announcements do not count any more. */
const maxFailedLooks = 5;

export interface OwnOutage {
  /** True while another hub reaches the database and this one does not. False while this hub cannot know. */
  readonly isAlone: boolean;
  /** Call it when the database has taken a write of this hub. Announces this to the other hubs at most every 4 s. */
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
 * Distinguishes an outage of this hub from an outage that all hubs share. A hub that reaches the database sets a key in
 * Redis every 4 s. A hub that has lost the database reads this key every second. Without Redis the outage counts as
 * shared. `clock` is monotonic time in ms.
 */
export function startOwnOutageWatch(
  { hubId, redis, keys, database, log }: OwnOutageDeps,
  clock = () => performance.now(),
): OwnOutage {
  const key = keys.databaseHub();
  let announcedMs = -Infinity;
  /** Every look since this time has found another hub's announcement; null if the last look found none. */
  let foundSinceMs: number | null = null;
  let isAlone = false;
  let failedLooks = 0;
  let isLooking = false;

  // If the database has answered since the first announcement was found, this is a new outage.
  const isSameOutage = () => foundSinceMs !== null && database.downMs >= clock() - foundSinceMs;

  function found(otherHub: string | null): void {
    if (otherHub === null) foundSinceMs = null;
    else if (!isSameOutage()) foundSinceMs = clock();
    const wasAlone = isAlone;
    isAlone = foundSinceMs !== null && clock() - foundSinceMs >= aloneAfterMs;
    if (isAlone && !wasAlone)
      log.warn({ otherHub }, 'another hub reaches the database: this hub is not ready');
    // `DatabaseState` already logs when the database answers this hub again. So this line is only for a hub that still
    // has no database.
    if (wasAlone && !isAlone && database.downMs > 0)
      log.warn('no other hub is known to reach the database: this hub is ready');
  }

  async function look(): Promise<void> {
    if (database.downMs === 0) {
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
      return isAlone && isSameOutage();
    },
    databaseAnswered() {
      const nowMs = clock();
      // If reads fail, this hub does not count as reaching the database, even though its writes succeed.
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
