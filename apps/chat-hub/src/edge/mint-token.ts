import { randomUUID } from 'node:crypto';
import type { AgentKind } from '@openclaw/protocol';
import { SignJWT } from 'jose';
import type { JwtSettings } from '../jwt-settings.ts';

export interface TokenRequest {
  readonly sub: string;
  readonly ttlSeconds: number;
  readonly channels?: readonly string[] | undefined;
  readonly role?: 'admin' | undefined;
  readonly kind?: AgentKind | undefined;
  /**
   * The agent that requested the token, or the machine's user who ran a command. All tokens of one minter can be
   * revoked together.
   */
  readonly minter: string;
  /**
   * The time is the database's, because revocations use that clock. The milliseconds matter for a token that is
   * minted right after a revocation.
   */
  readonly issuedAtMs: number;
}

export interface MintedToken {
  readonly token: string;
  readonly jti: string;
  readonly expiresAt: number;
}

/**
 * Signs with the first secret, which must exist, and adds every claim that these settings require. Each token gets
 * its own `jti`, so it can be revoked alone.
 */
export async function mintToken(
  { secrets, issuer, audiences, claims: names, adminRole }: Omit<JwtSettings, 'jwksUrl'>,
  { sub, ttlSeconds, channels, role, kind, minter, issuedAtMs }: TokenRequest,
): Promise<MintedToken> {
  const [secret = ''] = secrets;
  const [audience] = audiences;
  const jti = randomUUID();
  const expiresAt = Math.floor(issuedAtMs / 1000) + ttlSeconds;
  const jwt = new SignJWT({
    ...(channels && { [names.channels]: channels }),
    ...(role && { [names.role]: adminRole }),
    ...(kind && { [names.kind]: kind }),
    minter,
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(sub)
    .setJti(jti)
    .setIssuedAt(issuedAtMs / 1000)
    .setExpirationTime(expiresAt);
  if (issuer !== null) jwt.setIssuer(issuer);
  if (audience !== undefined) jwt.setAudience(audience);
  const token = await jwt.sign(new TextEncoder().encode(secret));
  return { token, jti, expiresAt: expiresAt * 1000 };
}
