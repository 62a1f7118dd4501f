import type { ChatStore } from '@openclaw/chat-store';
import type { RedisClient } from '@openclaw/redis-client';
import type { Logger } from 'pino';

const everyMs = 2_000;

/** What a beat works with. */
export interface HubBeatDeps {
  readonly store: Pick<ChatStore, 'beat'>;
  readonly hubId: string;
  readonly redis: Pick<RedisClient, 'available' | 'onAvailability'>;
  readonly log: Logger;
}

/**
 * Tells the store every two seconds, and when that changes, that this hub lives and whether it lacks Redis: then the others
 * do not end its presence leases. Returns the stop.
 */
export async function startHubBeat({
  store,
  hubId,
  redis,
  log,
}: HubBeatDeps): Promise<() => Promise<void>> {
  let isBeating: Promise<void> | null = null;
  const beat = () => {
    isBeating ??= store
      .beat(hubId, !redis.available)
      .catch((error: unknown) => log.debug({ err: error }, 'a heartbeat did not reach the store'))
      .finally(() => (isBeating = null));
    return isBeating;
  };
  await store.beat(hubId, !redis.available);
  const timer = setInterval(() => void beat(), everyMs);
  timer.unref();
  // A beat that is under way may say what was so before.
  const offAvailability = redis.onAvailability(() => void beat().then(beat));
  return async () => {
    offAvailability();
    clearInterval(timer);
    await isBeating;
  };
}
