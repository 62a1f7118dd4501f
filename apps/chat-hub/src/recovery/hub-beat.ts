import type { ChatStore } from '@openclaw/chat-store';
import type { PresenceTracker } from '@openclaw/presence';
import type { Logger } from 'pino';

const everyMs = 2_000;

/**
 * Reports that this hub is alive and whether it can write to Redis, every two seconds and at each change. Without these
 * reports, other hubs would end this hub's leases. Returns a function that stops the reports.
 */
export async function startHubBeat(deps: {
  readonly store: Pick<ChatStore, 'beat'>;
  readonly hubId: string;
  /** While the tracker is degraded, this hub cannot renew its leases in Redis. */
  readonly tracker: Pick<PresenceTracker, 'degraded' | 'onDegraded'>;
  readonly log: Logger;
  /** Returns the figures of the hub's last seconds as JSON; null while there are none. */
  readonly figures?: () => string | null;
  readonly onBeat?: () => void;
  readonly onFailed?: (error: unknown) => void;
}): Promise<() => Promise<void>> {
  const { store, hubId, tracker, log, figures = () => null, onBeat, onFailed } = deps;
  let isBeating: Promise<void> | null = null;
  const beat = () => {
    isBeating ??= store
      .beat(hubId, tracker.degraded, figures())
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
  // A report in flight may contain the previous state, so a second one follows it.
  const offDegraded = tracker.onDegraded(() => void beat().then(beat));
  return async () => {
    offDegraded();
    clearInterval(timer);
    await isBeating;
  };
}
