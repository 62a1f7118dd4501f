import type { RevokedToken } from '@openclaw/chat-store';
import type { Identity } from '../edge/identity.ts';
import type { Sessions } from '../sockets/sessions.ts';

/** Closes (4403) every socket whose token is among the newly revoked. */
export function endRevoked(sessions: Sessions, revoked: readonly RevokedToken[]): void {
  for (const session of sessions.all()) {
    if (revoked.some((entry) => isRevokedBy(session.identity, entry)))
      session.close(4403, 'the token was revoked');
  }
}

// A revocation by agent ends the tokens issued until then; a later one is good again. One that does not say when it
// was issued ends with the rest.
function isRevokedBy(identity: Identity, { jti, sub, revokedAtMs }: RevokedToken): boolean {
  if (jti !== null) return jti === identity.jti;
  return sub === identity.agentId && (identity.issuedAtMs ?? 0) <= revokedAtMs;
}
