import { isOutage } from './errors.ts';
import type { RedisClient } from './client.ts';

/**
 * Runs `primary`. Runs `fallback` instead while Redis is away, or if `primary` fails with an error that `fallsBackOn`
 * accepts (by default `unavailable` and `timeout`). `degraded` is true when `value` is from `fallback`. Rejects with
 * any other error of `primary`.
 */
export async function withFallback<T>(
  client: Pick<RedisClient, 'available'> & Partial<Pick<RedisClient, 'connecting'>>,
  primary: () => Promise<T>,
  fallback: () => T | Promise<T>,
  fallsBackOn: (error: unknown) => boolean = isOutage,
): Promise<{ value: T; degraded: boolean }> {
  if (client.available || client.connecting) {
    try {
      return { value: await primary(), degraded: false };
    } catch (error) {
      if (!fallsBackOn(error)) throw error;
    }
  }
  return { value: await fallback(), degraded: true };
}
