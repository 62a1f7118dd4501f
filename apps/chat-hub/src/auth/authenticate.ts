import type { ChatStore } from '@openclaw/chat-store';
import { isId } from '@openclaw/protocol';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { AuthConfig } from '../config.ts';
import { AuthError, type Authenticate, type Identity } from './identity.ts';

const claimsSchema = z.object({
  sub: z.string().refine(isId, 'is not an agentId'),
  exp: z.number(),
  iat: z.number().optional(),
  jti: z.string().max(128).optional(),
  channels: z.array(z.string().refine(isId)).max(1_000).optional(),
  role: z.string().optional(),
});

function identityOf(payload: JWTPayload): Identity {
  const claims = claimsSchema.safeParse(payload);
  if (!claims.success) {
    const [issue] = claims.error.issues;
    throw new AuthError(`the token's claim "${issue?.path.join('.') ?? ''}" cannot be used`);
  }
  const { sub, exp, iat, jti, channels, role } = claims.data;
  return {
    agentId: sub,
    isAdmin: role === 'admin',
    channels: channels ?? null,
    jti: jti ?? null,
    issuedAtMs: iat === undefined ? null : iat * 1000,
    expiresAtMs: exp * 1000,
  };
}

/** Dev mode: anyone is who they say, by `?agent=<id>`; `&role=admin` makes an admin. */
function authenticateDev(): Authenticate {
  return async ({ devAgent, devRole }) => {
    if (devAgent === null) throw new AuthError('say who you are with ?agent=<id>');
    if (!isId(devAgent))
      throw new AuthError('the agent id in ?agent= is not one (letters, digits and ._@|~-)');
    return {
      agentId: devAgent,
      isAdmin: devRole === 'admin',
      channels: null,
      jti: null,
      issuedAtMs: null,
      expiresAtMs: null,
    };
  };
}

/** JWT bearer tokens, HS256 by a shared secret or by a JWKS URL's asymmetric keys; revoked ones are refused. */
function authenticateJwt(
  config: AuthConfig & { mode: 'jwt' },
  store: Pick<ChatStore, 'isRevoked'>,
): Authenticate {
  const verifiers: { key: Uint8Array | JWTVerifyGetKey; algorithms: string[] }[] = [];
  if (config.secret !== null) {
    verifiers.push({ key: new TextEncoder().encode(config.secret), algorithms: ['HS256'] });
  }
  if (config.jwksUrl !== null) {
    const keys = createRemoteJWKSet(new URL(config.jwksUrl), {
      timeoutDuration: 3_000,
      cooldownDuration: 10_000,
    });
    verifiers.push({ key: keys, algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] });
  }

  async function verify(token: string): Promise<JWTPayload> {
    let refusal: unknown;
    for (const { key, algorithms } of verifiers) {
      try {
        const options = { algorithms, requiredClaims: ['sub', 'exp'], clockTolerance: 5 };
        const { payload } = await (typeof key === 'function'
          ? jwtVerify(token, key, options)
          : jwtVerify(token, key, options));
        return payload;
      } catch (error) {
        refusal = error;
      }
    }
    if (refusal instanceof errors.JWTExpired) throw new AuthError('the token has expired');
    if (refusal instanceof errors.JWKSTimeout)
      throw new AuthError('the key server does not answer; try again');
    throw new AuthError('the token is not valid');
  }

  return async ({ token }) => {
    if (token === null || token === '') throw new AuthError('a bearer token is needed');
    const identity = identityOf(await verify(token));
    const { agentId, jti, issuedAtMs } = identity;
    if (await store.isRevoked({ sub: agentId, jti, issuedAtMs }))
      throw new AuthError('the token is revoked');
    return identity;
  };
}

/** How this hub authenticates, by its configuration. */
export function createAuthenticate(
  config: AuthConfig,
  store: Pick<ChatStore, 'isRevoked'>,
): Authenticate {
  return config.mode === 'dev' ? authenticateDev() : authenticateJwt(config, store);
}
