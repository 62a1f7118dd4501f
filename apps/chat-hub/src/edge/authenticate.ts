import type { ChatStore } from '@openclaw/chat-store';
import { agentKindSchema, isId } from '@openclaw/protocol';
import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { AuthConfig } from '../config.ts';
import { AuthError, jtiSchema, type Authenticate, type Identity } from './identity.ts';

export interface AuthenticateDeps {
  readonly store: Pick<ChatStore, 'isRevoked'>;
  /** The milliseconds for which an agent is barred; null when it is not. */
  readonly barredForMs: (agentId: string) => number | null;
  readonly onVerified: (identity: Identity) => void;
  readonly log: Logger;
}

/** The latest time that a Date can hold, in seconds. */
const endOfTime = 8.64e12;
// RFC 7519 allows fractions, and a signer may write any number; the store keeps whole milliseconds.
const numericDate = z
  .number()
  .transform((seconds) => Math.floor(Math.min(Math.max(seconds, 0), endOfTime) * 1000));

const kindSchema = agentKindSchema.default('agent');

const claimsSchema = z.object({
  sub: z.string().refine(isId, 'is not an agentId'),
  exp: numericDate,
  iat: numericDate.optional(),
  jti: jtiSchema.optional(),
  channels: z.array(z.string().refine(isId)).max(1_000).optional(),
  role: z.string().optional(),
  kind: kindSchema,
  on_behalf_of: z.string().refine(isId, 'is not an agentId').optional(),
});

function identityOf(payload: JWTPayload): Identity {
  const claims = claimsSchema.safeParse(payload);
  if (!claims.success) {
    const [issue] = claims.error.issues;
    throw unauthorized(`the token's claim "${issue?.path.join('.') ?? ''}" cannot be used`);
  }
  const { sub, exp, iat, jti, channels, role, kind, on_behalf_of: onBehalfOf } = claims.data;
  return {
    agentId: sub,
    kind,
    isAdmin: role === 'admin',
    onBehalfOf: onBehalfOf ?? null,
    channels: channels ?? null,
    jti: jti ?? null,
    issuedAtMs: iat ?? null,
    expiresAtMs: exp,
  };
}

/** Dev mode: `?agent=<id>` is trusted without proof, and so are `&kind=` and `&role=admin`. */
function authenticateDev({ barredForMs }: AuthenticateDeps): Authenticate {
  return async ({ devAgent, devKind, devRole }) => {
    if (devAgent === null) throw unauthorized('say who you are with ?agent=<id>');
    if (!isId(devAgent))
      throw unauthorized(
        'the agent id in ?agent= must be 1 to 128 letters, digits and ._@|~-, beginning with a letter or digit',
      );
    const kind = kindSchema.safeParse(devKind ?? undefined);
    if (!kind.success) throw unauthorized('?kind= must be agent, person or service');
    refuseBarred(devAgent, barredForMs);
    return {
      agentId: devAgent,
      kind: kind.data,
      isAdmin: devRole === 'admin',
      onBehalfOf: null,
      channels: null,
      jti: null,
      issuedAtMs: null,
      expiresAtMs: null,
    };
  };
}

/** The keys for tokens signed with one of these algorithms. */
interface KeySource {
  readonly algorithms: string[];
  readonly key: JWTVerifyGetKey;
}

function keySources({ secret, jwksUrl }: AuthConfig & { mode: 'jwt' }, log: Logger): KeySource[] {
  const sources: KeySource[] = [];
  if (secret !== null) {
    const key = new TextEncoder().encode(secret);
    sources.push({ algorithms: ['HS256'], key: async () => key });
  }
  if (jwksUrl !== null) {
    sources.push({
      algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'],
      key: createRemoteKeys(jwksUrl, log),
    });
  }
  return sources;
}

/** The minimum time between two log lines about a failing key server. */
const warnEveryMs = 30_000;

/**
 * The keys at a JWKS URL. They are fetched at first use, every ten minutes, and for an unknown key. Rejects with AuthError
 * `unavailable` when the key server does not answer with a key set, and with jose's own error when it has no key for the
 * token.
 */
function createRemoteKeys(url: string, log: Logger): JWTVerifyGetKey {
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

/** JWT bearer tokens: HS256 with the shared secret, or asymmetric keys from the JWKS URL. Revoked tokens are refused. */
function authenticateJwt(
  config: AuthConfig & { mode: 'jwt' },
  { store, log, barredForMs }: AuthenticateDeps,
): Authenticate {
  const sources = keySources(config, log);

  async function verify(token: string): Promise<JWTPayload> {
    const algorithm = algorithmOf(token);
    const source = sources.find(({ algorithms }) => algorithms.includes(algorithm));
    if (!source) throw unauthorized('the token is not valid');
    try {
      const { payload } = await jwtVerify(token, source.key, {
        algorithms: source.algorithms,
        requiredClaims: ['sub', 'exp'],
        clockTolerance: 5,
      });
      return payload;
    } catch (error) {
      // The key server failed, so the token may be valid.
      if (error instanceof AuthError) throw error;
      throw unauthorized(
        error instanceof errors.JWTExpired ? 'the token has expired' : 'the token is not valid',
      );
    }
  }

  return async ({ token }) => {
    if (token === null || token === '') throw unauthorized('a bearer token is needed');
    const identity = identityOf(await verify(token));
    const { agentId, jti, issuedAtMs } = identity;
    // Checked before the database is read, because a flood must not load the database.
    refuseBarred(agentId, barredForMs);
    if (await store.isRevoked({ sub: agentId, jti, issuedAtMs }))
      throw new AuthError('revoked', 'the token was revoked');
    return identity;
  };
}

function refuseBarred(agentId: string, barredForMs: AuthenticateDeps['barredForMs']): void {
  const retryAfterMs = barredForMs(agentId);
  if (retryAfterMs === null) return;
  throw new AuthError(
    'barred',
    'this agent far exceeded the limit of calls and must wait before it connects',
    { retryAfterMs },
  );
}

function algorithmOf(token: string): string {
  try {
    return decodeProtectedHeader(token).alg ?? '';
  } catch {
    return '';
  }
}

function unauthorized(message: string): AuthError {
  return new AuthError('unauthorized', message);
}

export function createAuthenticate(config: AuthConfig, deps: AuthenticateDeps): Authenticate {
  const verify = config.mode === 'dev' ? authenticateDev(deps) : authenticateJwt(config, deps);
  return async (credentials) => {
    const identity = await verify(credentials);
    deps.onVerified(identity);
    return identity;
  };
}
