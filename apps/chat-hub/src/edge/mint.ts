import { randomUUID } from 'node:crypto';
import type { AgentKind } from '@openclaw/protocol';
import { SignJWT } from 'jose';

/** What a new token says. */
export interface TokenClaims {
  readonly agentId: string;
  readonly ttlSeconds: number;
  readonly channels?: readonly string[] | undefined;
  readonly role?: 'admin' | undefined;
  readonly kind?: AgentKind | undefined;
}

/** Signs a token with the hub's HS256 secret; its `jti` is new, so that it can be revoked alone. */
export async function mintToken(
  secret: string,
  claims: TokenClaims,
): Promise<{ token: string; jti: string; expiresAt: number }> {
  const jti = randomUUID();
  const issuedAt = Math.floor(Date.now() / 1000);
  const expiresAt = issuedAt + claims.ttlSeconds;
  const token = await new SignJWT({
    ...(claims.channels && { channels: claims.channels }),
    ...(claims.role && { role: claims.role }),
    ...(claims.kind && { kind: claims.kind }),
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(claims.agentId)
    .setJti(jti)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(new TextEncoder().encode(secret));
  return { token, jti, expiresAt: expiresAt * 1000 };
}
