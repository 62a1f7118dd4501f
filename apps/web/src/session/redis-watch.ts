import { signal } from '@preact/signals';
import type { HubClient } from '@openclaw/client';
import { hubAddress } from '../page/page-base.ts';

const checkEveryMs = 3_000;

/**
 * False if the hub was configured without Redis, which is no fault. Null when a proxy hides
 * `/readyz`, as it should.
 */
async function readUsesRedis(): Promise<boolean | null> {
  const response = await fetch(hubAddress('readyz'));
  // Any other status comes from a proxy that refuses the request.
  if (response.status !== 200 && response.status !== 503) return null;
  const { publishPath } = (await response.json()) as { publishPath: { status: string } };
  return publishPath.status !== 'unused';
}

/**
 * Finds a lost Redis by the `degraded` field of a `typing` answer, every three seconds while the page is visible. If
 * `/readyz` is hidden and Redis is away at sign-in, the outage is not reported until Redis has been available once.
 */
export function createRedisWatch(
  client: Pick<HubClient, 'state' | 'channel'>,
  channelToAsk: () => string | undefined,
  askUsesRedis = readUsesRedis,
) {
  const isAway = signal(false);
  let isChecking = false;
  let hasSeenRedis = false;
  let isHidden = false;

  async function usesRedis(): Promise<boolean> {
    if (hasSeenRedis) return true;
    // A browser logs each failed request, so this one is not repeated.
    if (isHidden) return false;
    const answer = await askUsesRedis();
    isHidden = answer === null;
    return answer ?? false;
  }

  async function check() {
    const channelId = channelToAsk();
    if (isChecking || channelId === undefined || client.state !== 'live') return;
    isChecking = true;
    try {
      const { degraded } = await client.channel(channelId).typing();
      hasSeenRedis ||= !degraded;
      isAway.value = degraded && (await usesRedis());
    } catch {
      // A failed call gives no information about Redis. The connection status shows that the hub is
      // away.
    } finally {
      isChecking = false;
    }
  }

  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') void check();
  }, checkEveryMs);
  return { isAway, check, close: () => clearInterval(timer) };
}
