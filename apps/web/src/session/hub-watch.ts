import { signal } from '@preact/signals';
import type { HubClient } from '@openclaw/client';

const tickMs = 500;
/** A hub that was silent for this long is asked. */
const quietMs = 1_500;
const answerWithinMs = 2_000;

/**
 * Notices within five seconds that a hub no longer answers although its connection stays open, as when its process is
 * frozen. The SDK replaces such a connection, but only after two heartbeats. Asks nothing while the page is hidden.
 */
export function createHubWatch(client: Pick<HubClient, 'state' | 'on' | 'call'>, now = Date.now) {
  /** When the hub was first asked without an answer; null while it answers. */
  const silentSinceMs = signal<number | null>(null);
  let lastHeardMs = now();
  let isAsking = false;

  function heard() {
    lastHeardMs = now();
    silentSinceMs.value = null;
  }

  async function ask() {
    isAsking = true;
    const askedAtMs = now();
    try {
      await client.call('ping', {}, { timeoutMs: answerWithinMs });
      heard();
    } catch {
      // While there is no connection, the connection status says so. An event that arrived meanwhile is an answer too.
      const isSilent = client.state === 'live' && lastHeardMs < askedAtMs;
      if (isSilent && document.visibilityState === 'visible') silentSinceMs.value ??= askedAtMs;
    } finally {
      isAsking = false;
    }
  }

  function check() {
    if (client.state !== 'live') return heard();
    if (isAsking || document.visibilityState !== 'visible') return;
    if (now() - lastHeardMs >= quietMs) void ask();
  }

  const offs = [client.on('event', heard), client.on('welcome', heard)];
  const timer = setInterval(check, tickMs);
  return {
    silentSinceMs,
    close() {
      clearInterval(timer);
      for (const off of offs) off();
    },
  };
}
