import { toClientError, writeRefusalOf } from './errors.ts';

/** Resolves when a PING was answered: a server that cannot save answers it with MISCONF, and lives all the same. */
export async function answered(ping: Promise<unknown>): Promise<void> {
  try {
    await ping;
  } catch (error) {
    if (writeRefusalOf(toClientError(error)) === null) throw error;
  }
}
