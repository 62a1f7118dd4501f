import type { ChatStore } from '@openclaw/chat-store';
import { agentKindSchema } from '@openclaw/protocol';
import {
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import type { Logger } from 'pino';
import type { AuthConfig } from '../config.ts';
import type { JwtSettings } from '../jwt-settings.ts';
import { AuthError, isAgentId, type Authenticate, type Identity } from './identity.ts';
import { createRemoteKeys } from './remote-keys.ts';
import { clockToleranceMs, identityOf } from './token-claims.ts';

export interface AuthenticateDeps {
  readonly store: Pick<ChatStore, 'isRevoked'>;
  readonly barredForMs: (agentId: string) => number | null;
  readonly adminsObservePrivate: boolean;
  readonly onVerified: (identity: Identity) => void;
  readonly onRevoked: (identity: Identity) => void;
  readonly log: Logger;
}

const devKindSchema = agentKindSchema.default('agent');

/** Dev mode trusts `?agent=<id>`, `&kind=` and `&role=admin` without proof. */
function authenticateDev({ barredForMs }: AuthenticateDeps): Authenticate {
  return async ({ devAgent, devKind, devRole }) => {
    if (devAgent === null) throw unauthorized('say who you are with ?agent=<id>');
    if (!isAgentId(devAgent))
      throw unauthorized(
        'the agent id in ?agent= must be 1 to 128 letters, digits and ._@|~-, beginning with a letter or digit, and not hub',
      );
    const kind = devKindSchema.safeParse(devKind ?? undefined);
    if (!kind.success) throw unauthorized('?kind= must be agent, person or service');
    refuseBarred(devAgent, barredForMs);
    return {
      agentId: devAgent,
      kind: kind.data,
      isAdmin: devRole === 'admin',
      observesPrivate: devRole === 'admin',
      onBehalfOf: null,
      channels: null,
      jti: null,
      minter: null,
      issuedAtMs: null,
      expiresAtMs: null,
    };
  };
}

/** A token is valid if any of these keys verifies it. */
interface KeySource {
  readonly algorithms: string[];
  readonly keys: readonly JWTVerifyGetKey[];
}

function keySources({ secrets, jwksUrl }: JwtSettings, log: Logger): KeySource[] {
  const sources: KeySource[] = [];
  if (secrets.length > 0) {
    const encoded = secrets.map((secret) => new TextEncoder().encode(secret));
    sources.push({ algorithms: ['HS256'], keys: encoded.map((key) => async () => key) });
  }
  if (jwksUrl !== null) {
    sources.push({
      algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'],
      keys: [createRemoteKeys(jwksUrl, log)],
    });
  }
  return sources;
}

/** Accepts HS256 with the shared secrets, or asymmetric keys from the JWKS URL. Refuses revoked tokens. */
function authenticateJwt(
  settings: JwtSettings,
  { store, log, barredForMs, onRevoked }: AuthenticateDeps,
): Authenticate {
  const sources = keySources(settings, log);
  const accepted = sources.flatMap(({ algorithms }) => algorithms).join(', ');
  const { issuer, audiences } = settings;
  const expected = {
    requiredClaims: ['sub', 'exp'],
    clockTolerance: clockToleranceMs / 1000,
    ...(issuer !== null && { issuer }),
    ...(audiences.length > 0 && { audience: [...audiences] }),
  };

  async function verify(token: string): Promise<JWTPayload> {
    const algorithm = algorithmOf(token);
    if (algorithm === null) throw unauthorized('this is not a JWT');
    const source = sources.find(({ algorithms }) => algorithms.includes(algorithm));
    if (!source) throw unauthorized(`the token must be signed with ${accepted}`);
    let failure: unknown;
    for (const key of source.keys) {
      try {
        const options = { ...expected, algorithms: source.algorithms };
        return (await jwtVerify(token, key, options)).payload;
      } catch (error) {
        failure = error;
        // Another key can help only if the signature does not match this key. Any other failure is
        // final.
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    // An AuthError means that the key server failed, so the token may be valid.
    throw failure instanceof AuthError ? failure : unauthorized(reasonOf(failure));
  }

  return async ({ token }) => {
    if (token === null || token === '') throw unauthorized('a bearer token is needed');
    const identity = identityOf(await verify(token), settings);
    const { agentId, jti, minter, issuedAtMs } = identity;
    // A barred agent is refused before the database is read, because a flood must not load the database.
    refuseBarred(agentId, barredForMs);
    if (await store.isRevoked({ sub: agentId, jti, minter, issuedAtMs })) {
      onRevoked(identity);
      throw new AuthError('revoked', 'the token was revoked');
    }
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

/** Reads the unverified header. Null if the text is not a token. */
function algorithmOf(token: string): string | null {
  try {
    return decodeProtectedHeader(token).alg ?? '';
  } catch {
    return null;
  }
}

/** The sentence names claims, but no value of a claim and no setting of the hub. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error;
    if (reason === 'missing') return `the token has no claim "${claim}"`;
    const failed = reason === 'check_failed' ? failedChecks.get(claim) : undefined;
    return failed ?? `the token's claim "${claim}" cannot be used`;
  }
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return 'the signature of the token does not match a key of this hub';
  if (error instanceof errors.JWKSNoMatchingKey)
    return 'the issuer has no key for the token: it was signed elsewhere, or the key was withdrawn';
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return 'the issuer has several keys for the token: its header must name one (kid)';
  return 'this is not a valid JWT';
}

const failedChecks: ReadonlyMap<string, string> = new Map([
  ['iss', 'the token is of another issuer (claim "iss")'],
  ['aud', 'the token is for another audience (claim "aud")'],
  ['nbf', 'the token is not valid yet (claim "nbf")'],
]);

function unauthorized(message: string): AuthError {
  return new AuthError('unauthorized', message);
}

export function createAuthenticate(config: AuthConfig, deps: AuthenticateDeps): Authenticate {
  const verify = config.mode === 'dev' ? authenticateDev(deps) : authenticateJwt(config, deps);
  return async (credentials) => {
    const verified = await verify(credentials);
    const identity = deps.adminsObservePrivate ? verified : { ...verified, observesPrivate: false };
    deps.onVerified(identity);
    return identity;
  };
}
