import type { RevokedToken } from '@openclaw/chat-store';
import type { Identity } from './identity.ts';

/** This is much longer than the time from a token's check to the start of its session. */
const keptMs = 60_000;
const maxKept = 10_000;

/**
 * A token may be revoked between its check and the start of its session, so each new session is compared with the
 * revocations of the last minute.
 */
export function createRevocations(clock: () => number = () => performance.now()) {
  let recent: { readonly revoked: RevokedToken; readonly atMs: number }[] = [];
  return {
    add(revoked: readonly RevokedToken[]): void {
      const atMs = clock();
      recent = [
        ...recent.filter((entry) => atMs - entry.atMs < keptMs),
        ...revoked.map((entry) => ({ revoked: entry, atMs })),
      ].slice(-maxKept);
    },
    /** Returns false in dev mode, which has no tokens. */
    has: (identity: Identity) =>
      identity.expiresAtMs !== null && recent.some(({ revoked }) => isRevokedBy(identity, revoked)),
  };
}

export type Revocations = ReturnType<typeof createRevocations>;

/** A token without `iat` counts as older than the revocation. */
export function isRevokedBy(
  identity: Identity,
  { jti, sub, minter, revokedAtMs }: RevokedToken,
): boolean {
  if (jti !== null) return jti === identity.jti;
  if (sub !== null && sub !== identity.agentId) return false;
  if (minter !== null && minter !== identity.minter) return false;
  // In dev mode, which has no tokens, a revocation closes only the sockets of the agent that it names.
  if (sub === null && identity.expiresAtMs === null) return false;
  return (identity.issuedAtMs ?? 0) <= revokedAtMs;
}
