import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from './client.ts';

/**
 * A hub admits 400 connections per second. It tells each further client when to come back, and this function waits
 * until then and tries again.
 */
export async function connectWhenAdmitted(client: Client): Promise<void> {
  for (;;) {
    try {
      await client.connect();
      return;
    } catch (error) {
      if (client.retryAfterMs === null) throw error;
      await delay(client.retryAfterMs);
    }
  }
}
