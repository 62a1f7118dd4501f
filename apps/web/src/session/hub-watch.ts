import { signal } from '@preact/signals';
import type { HubClient } from '@openclaw/client';

const tickMs = 500;
/** After this time without an event, the hub gets a request. */
const quietMs = 1_500;
const answerWithinMs = 2_000;

/**
 * Finds within five seconds that a hub no longer answers although its connection stays open, for
 * example because its process is frozen. The SDK replaces such a connection only after two
 * heartbeats. Sends nothing while the page is hidden.
 */
export function createHubWatch(client: Pick<HubClient, 'state' | 'on' | 'call'>, now = Date.now) {
  /** The time of the first request without an answer; null while the hub answers. */
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
      // A lost connection does not count, because the connection status already shows it. Any event after the request
      // counts as an answer.
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
