import type { RevokedToken } from '@openclaw/chat-store';
import type { Identity } from '../edge/identity.ts';
import type { Sessions } from '../sockets/sessions.ts';

/** Closes (4403) every socket whose token was revoked. */
export function endRevoked(sessions: Sessions, revoked: readonly RevokedToken[]): void {
  for (const session of sessions.all()) {
    if (revoked.some((entry) => isRevokedBy(session.identity, entry)))
      session.close(4403, 'the token was revoked');
  }
}

// A revocation of an agent ends all tokens that were issued to it until then. A token without `iat` counts as older.
function isRevokedBy(identity: Identity, { jti, sub, revokedAtMs }: RevokedToken): boolean {
  if (jti !== null) return jti === identity.jti;
  return sub === identity.agentId && (identity.issuedAtMs ?? 0) <= revokedAtMs;
}
