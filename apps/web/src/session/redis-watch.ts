import { signal } from '@preact/signals';
import type { HubClient } from '@openclaw/client';
import { hubAddress } from '../page/page-base.ts';

const checkEveryMs = 3_000;

/**
 * False if the hub was configured without Redis, which is no fault. Null when a proxy hides `/readyz`, as a proxy
 * should.
 */
async function readUsesRedis(): Promise<boolean | null> {
  const response = await fetch(hubAddress('readyz'));
  // Any other status is from a proxy that hides the path.
  if (response.status !== 200 && response.status !== 503) return null;
  const { publishPath } = (await response.json()) as { publishPath: { status: string } };
  return publishPath.status !== 'unused';
}

/**
 * Asks for the typing agents of a channel every three seconds while the page is visible. The answer's `degraded` field
 * shows that the hub has lost its Redis. If `/readyz` is hidden, an outage is not reported until the page has seen
 * Redis working.
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
    // A hidden path is not requested again, because a browser logs each failed request.
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
      // A failed call says nothing about Redis. The connection status shows the failure.
    } finally {
      isChecking = false;
    }
  }

  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') void check();
  }, checkEveryMs);
  return { isAway, check, close: () => clearInterval(timer) };
}
