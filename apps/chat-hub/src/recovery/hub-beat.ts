import type { ChatStore } from '@openclaw/chat-store';
import type { PresenceTracker } from '@openclaw/presence';
import type { Logger } from 'pino';

const everyMs = 2_000;

/** What a beat works with. */
export interface HubBeatDeps {
  readonly store: Pick<ChatStore, 'beat'>;
  readonly hubId: string;
  /** While it is degraded, this hub's leases in Redis cannot be renewed. */
  readonly tracker: Pick<PresenceTracker, 'degraded' | 'onDegraded'>;
  readonly log: Logger;
}

/**
 * Tells the store, every two seconds and at each change, that this hub lives and whether it lacks Redis or cannot write
 * there: then the others do not end its presence leases. Returns the function that stops it.
 */
export async function startHubBeat({
  store,
  hubId,
  tracker,
  log,
}: HubBeatDeps): Promise<() => Promise<void>> {
  let isBeating: Promise<void> | null = null;
  const beat = () => {
    isBeating ??= store
      .beat(hubId, tracker.degraded)
      .catch((error: unknown) => log.debug({ err: error }, 'a heartbeat did not reach the store'))
      .finally(() => (isBeating = null));
    return isBeating;
  };
  await store.beat(hubId, tracker.degraded);
  const timer = setInterval(() => void beat(), everyMs);
  timer.unref();
  // A beat that is under way may say what was so before.
  const offDegraded = tracker.onDegraded(() => void beat().then(beat));
  return async () => {
    offDegraded();
    clearInterval(timer);
    await isBeating;
  };
}
