import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';
import { AuthError } from './identity.ts';

/** A failing key server is logged once in this time. */
const warnEveryMs = 30_000;

/**
 * The keys at a JWKS URL. They are fetched at first use, every ten minutes, and for an unknown key. Rejects with AuthError
 * `unavailable` when the key server does not answer with a key set, and with jose's own error when it has no key for the
 * token.
 */
export function createRemoteKeys(url: string, log: Logger): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: 3_000,
    cooldownDuration: 10_000,
  });
  let warnedAtMs = -Infinity;
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (
        error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JWKSMultipleMatchingKeys
      )
        throw error;
      if (performance.now() - warnedAtMs >= warnEveryMs) {
        warnedAtMs = performance.now();
        log.warn({ err: error }, 'the key server at HUB_JWKS_URL did not answer with keys');
      }
      throw new AuthError('unavailable', 'the key server does not answer; try again', {
        cause: error,
      });
    }
  };
}
