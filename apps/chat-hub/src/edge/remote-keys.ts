import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwksCache,
  type JWTVerifyGetKey,
} from 'jose';
import type { Logger } from 'pino';
import { AuthError } from './identity.ts';

export interface RemoteKeysOptions {
  /** Keys older than this are fetched again in the background, at their next use. @default 600000 */
  readonly refreshMs?: number;
  /** While the key server is away, keys are used up to this age. @default 86400000 */
  readonly maxAgeMs?: number;
}

const timeoutMs = 3_000;
/** Tokens with an unknown key cause at most one fetch in this time. */
const unknownKeyPauseMs = 10_000;
/** After a failed fetch, the hub sends no request for this time if it has keys in memory. */
const failurePauseMs = 2_000;
const warnEveryMs = 30_000;

/**
 * Fetches the keys of a JWKS URL: first when a key is needed, then in the background after `refreshMs`, and when a
 * token has an unknown key. While the key server is away, known keys stay in use.
 * @throws {AuthError} `unavailable` if the token's key is not in memory and the key server does not answer; jose's own
 * error if the key server does not have the key
 */
export function createRemoteKeys(
  url: string,
  log: Pick<Logger, 'warn'>,
  { refreshMs = 600_000, maxAgeMs = 86_400_000 }: RemoteKeysOptions = {},
): JWTVerifyGetKey {
  // jose writes the time of each successful fetch (`uat`) and the key set to this object.
  const fetched: { uat?: number } = {};
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs,
    cooldownDuration: unknownKeyPauseMs,
    cacheMaxAge: maxAgeMs,
    [jwksCache]: fetched as Record<string, never>,
  });
  let local = { uat: fetched.uat, keys: createLocalJWKSet({ keys: [] }) };
  let failedAtMs = -Infinity;
  let warnedAtMs = -Infinity;

  // The pause ends with the next success, or when the clock was set back.
  function isPaused(): boolean {
    const { uat = Infinity } = fetched;
    const sinceMs = Date.now() - failedAtMs;
    return failedAtMs >= uat && sinceMs >= 0 && sinceMs < failurePauseMs;
  }

  /** Sends no request. */
  function knownKeys(): JWTVerifyGetKey {
    if (local.uat !== fetched.uat)
      local = { uat: fetched.uat, keys: createLocalJWKSet(keys.jwks() ?? { keys: [] }) };
    return local.keys;
  }

  function failed(error: unknown): AuthError {
    const nowMs = performance.now();
    failedAtMs = Date.now();
    if (nowMs - warnedAtMs >= warnEveryMs) {
      warnedAtMs = nowMs;
      const ageMs = fetched.uat === undefined ? null : Date.now() - fetched.uat;
      log.warn({ err: error, ageMs }, 'the key server at HUB_JWKS_URL did not answer with keys');
    }
    return unavailable(error);
  }

  return async (header, token) => {
    const { uat } = fetched;
    if (uat !== undefined && Date.now() - uat >= refreshMs && !keys.reloading && !isPaused())
      keys.reload().catch(failed);
    // After a failed fetch, only known keys are used for a while. Otherwise, each token with an unknown key would cause
    // a request.
    const isAlone = isPaused();
    if (isAlone && !keys.fresh) throw unavailable();
    try {
      return await (isAlone ? knownKeys() : keys)(header, token);
    } catch (error) {
      const isAnswer =
        error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JWKSMultipleMatchingKeys;
      if (isAnswer) throw isAlone ? unavailable(error) : error;
      throw failed(error);
    }
  };
}

function unavailable(cause?: unknown): AuthError {
  return new AuthError('unavailable', 'the key server does not answer; try again', { cause });
}
