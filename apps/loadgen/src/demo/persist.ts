import { setTimeout as delay } from 'node:timers/promises';
import { HubError } from '@openclaw/client';

/** What a hub on a busy machine says, and does a moment later. */
const passing: ReadonlySet<string> = new Set(['timeout', 'unavailable', 'rate_limited']);
const attempts = 8;
const usualWaitMs = 500;

/**
 * Does a thing that may be done twice, and again while the hub only asks for patience. Rejects as the last attempt did,
 * and at the signal.
 */
export async function persist<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isPassing = error instanceof HubError && passing.has(error.code);
      if (!isPassing || attempt === attempts) throw error;
      await delay(error.retryAfterMs ?? usualWaitMs, undefined, { signal });
    }
  }
}
