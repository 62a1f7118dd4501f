import type { ChatStore } from '@openclaw/chat-store';
import type { PresenceTracker } from '@openclaw/presence';
import type { Logger } from 'pino';

const everyMs = 2_000;

/**
 * Writes to the store, every two seconds and at each change, that this hub is alive and whether it can write to Redis,
 * so that other hubs do not end its leases. Returns the function that stops it.
 */
export async function startHubBeat(deps: {
  readonly store: Pick<ChatStore, 'beat'>;
  readonly hubId: string;
  /** While it is degraded, this hub cannot renew its leases in Redis. */
  readonly tracker: Pick<PresenceTracker, 'degraded' | 'onDegraded'>;
  readonly log: Logger;
  /** Called when the store has taken a beat. */
  readonly onBeat?: () => void;
  /** Called when a beat failed. */
  readonly onFailed?: (error: unknown) => void;
}): Promise<() => Promise<void>> {
  const { store, hubId, tracker, log, onBeat, onFailed } = deps;
  let isBeating: Promise<void> | null = null;
  const beat = () => {
    isBeating ??= store
      .beat(hubId, tracker.degraded)
      .then(onBeat)
      .catch((error: unknown) => {
        onFailed?.(error);
        log.debug({ err: error }, 'a heartbeat did not reach the store');
      })
      .finally(() => (isBeating = null));
    return isBeating;
  };
  await store.beat(hubId, tracker.degraded).then(onBeat);
  const timer = setInterval(() => void beat(), everyMs);
  timer.unref();
  // A beat that is in flight may contain the previous state.
  const offDegraded = tracker.onDegraded(() => void beat().then(beat));
  return async () => {
    offDegraded();
    clearInterval(timer);
    await isBeating;
  };
}
