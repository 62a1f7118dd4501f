import type { Engine } from './engine.ts';

/** A token to revoke, or all tokens that an agent got until now. */
export type RevocationTarget = { readonly jti: string } | { readonly sub: string };

/** The claims of a token that matter for revocation. */
export interface TokenClaims {
  readonly jti?: string | null;
  readonly sub: string;
  /** Null when the token does not contain it; then any revocation of its agent ends the token. */
  readonly issuedAtMs: number | null;
}

export function revoke(engine: Engine, target: RevocationTarget): Promise<void> {
  const kind = 'jti' in target ? 'jti' : 'sub';
  const value = 'jti' in target ? target.jti : target.sub;
  return engine.write(async (db) => {
    const change = { revoked_at: engine.sql.now(), touched: engine.sql.mark };
    await db
      .insertInto('revoked_tokens')
      .values({ kind, value, ...change })
      .onConflict((conflict) => conflict.columns(['kind', 'value']).doUpdateSet(change))
      .execute();
  });
}

/**
 * True if the token was revoked, or its agent after the token was issued. A token's time has whole seconds, so a token
 * issued in the same second as the revocation counts as revoked.
 */
export async function isRevoked(engine: Engine, token: TokenClaims): Promise<boolean> {
  const row = await engine.db
    .selectFrom('revoked_tokens')
    .select('kind')
    .where((eb) => {
      const ofAgent = eb.and([
        eb('kind', '=', 'sub'),
        eb('value', '=', token.sub),
        eb('revoked_at', '>=', token.issuedAtMs ?? 0),
      ]);
      return token.jti
        ? eb.or([eb.and([eb('kind', '=', 'jti'), eb('value', '=', token.jti)]), ofAgent])
        : ofAgent;
    })
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
