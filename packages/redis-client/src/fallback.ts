import { isOutage } from './errors.ts';
import type { RedisClient } from './client.ts';

/**
 * Runs `primary` while Redis is available or being connected to for the first time (`primary` then waits for that), and
 * `fallback` while it is not available or when `primary` fails by an outage (`unavailable`, `timeout`); `degraded` says
 * which one answered. Every other error of `primary` is thrown.
 */
export async function withFallback<T>(
  client: Pick<RedisClient, 'available'> & Partial<Pick<RedisClient, 'connecting'>>,
  primary: () => Promise<T>,
  fallback: () => T | Promise<T>,
): Promise<{ value: T; degraded: boolean }> {
  if (client.available || client.connecting) {
    try {
      return { value: await primary(), degraded: false };
    } catch (error) {
      if (!isOutage(error)) throw error;
    }
  }
  return { value: await fallback(), degraded: true };
}
