import { setTimeout as delay } from 'node:timers/promises';
import { HubError } from '@openclaw/client';

const busyCodes: ReadonlySet<string> = new Set(['timeout', 'unavailable', 'rate_limited']);
const attempts = 8;
const defaultWaitMs = 500;

/**
 * Tries idempotent work up to eight times while the hub is busy. Rejects with the last error, or when the signal aborts
 * a pause.
 */
export async function retryWhileBusy<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isBusy = error instanceof HubError && busyCodes.has(error.code);
      if (!isBusy || attempt === attempts) throw error;
      await delay(error.retryAfterMs ?? defaultWaitMs, undefined, { signal });
    }
  }
}
