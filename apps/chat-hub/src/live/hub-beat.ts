import type { ChatStore } from '@openclaw/chat-store';
import type { Logger } from 'pino';

const everyMs = 2_000;

/** Tells the store every two seconds that this hub lives, so that no other hub reaps its presence leases. Returns the stop. */
export async function startHubBeat(
  store: ChatStore,
  hubId: string,
  log: Logger,
): Promise<() => Promise<void>> {
  let isBeating: Promise<void> | null = null;
  const beat = () => {
    isBeating ??= store
      .beat(hubId)
      .catch((error: unknown) => log.debug({ err: error }, 'a heartbeat did not reach the store'))
      .finally(() => (isBeating = null));
    return isBeating;
  };
  await store.beat(hubId);
  const timer = setInterval(() => void beat(), everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await isBeating;
  };
}
