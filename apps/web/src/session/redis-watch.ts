import { signal } from '@preact/signals';
import type { HubClient } from '@openclaw/client';
import { hubAddress } from '../page/page-base.ts';

const checkEveryMs = 3_000;

/** A hub that was configured without Redis is not degraded. */
async function usesRedis(): Promise<boolean> {
  const response = await fetch(hubAddress('readyz'));
  const { publishPath } = (await response.json()) as { publishPath: { status: string } };
  return publishPath.status !== 'unused';
}

/**
 * Watches whether the hub has lost its Redis, using the `degraded` field of a `typing` answer. Asks every three seconds
 * while the page is visible.
 */
export function createRedisWatch(client: HubClient, channelToAsk: () => string | undefined) {
  const isAway = signal(false);
  let isChecking = false;

  async function check() {
    const channelId = channelToAsk();
    if (isChecking || channelId === undefined || client.state !== 'live') return;
    isChecking = true;
    try {
      const { degraded } = await client.channel(channelId).typing();
      isAway.value = degraded && (await usesRedis());
    } catch {
      // A failed call gives no information about Redis; the connection status shows that the hub is away.
    } finally {
      isChecking = false;
    }
  }

  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') void check();
  }, checkEveryMs);
  return { isAway, check, close: () => clearInterval(timer) };
}
