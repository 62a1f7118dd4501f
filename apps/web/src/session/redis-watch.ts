import { signal, type ReadonlySignal } from '@preact/signals';
import type { HubClient } from '@openclaw/client';

/** Whether the hub behind this connection lacks its Redis, as it says itself. */
export interface RedisWatch {
  readonly isAway: ReadonlySignal<boolean>;
  /** Asks now. */
  check(): void;
  close(): void;
}

const everyMs = 3_000;

/** Whether the hub was given a Redis: one that was given none is alone, and lacks nothing. */
async function hasRedis(): Promise<boolean> {
  const response = await fetch('/readyz');
  const { publishPath } = (await response.json()) as { publishPath: { status: string } };
  return publishPath.status !== 'unused';
}

/** Asks who is typing in a channel, an answer that says `degraded`; nobody is asked while the page is hidden. */
export function createRedisWatch(
  client: HubClient,
  channelToAsk: () => string | undefined,
): RedisWatch {
  const isAway = signal(false);
  let isAsking = false;

  function check() {
    const channelId = channelToAsk();
    if (isAsking || channelId === undefined || client.state !== 'live') return;
    isAsking = true;
    client
      .channel(channelId)
      .typing()
      .then(({ degraded }) => degraded && hasRedis())
      .then(
        (lacksRedis) => {
          isAway.value = lacksRedis;
        },
        () => {
          // No answer says nothing of Redis; the connection's own state speaks for itself.
        },
      )
      .finally(() => {
        isAsking = false;
      });
  }

  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') check();
  }, everyMs);
  return { isAway, check, close: () => clearInterval(timer) };
}
