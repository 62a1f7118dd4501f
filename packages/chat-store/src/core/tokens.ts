import type { AgentKind } from '@openclaw/protocol';
import { sql, type Kysely } from 'kysely';
import { insertAudit, type AuditRecord } from './audit.ts';
import type { Engine } from './engine.ts';
import type { Tables } from './tables.ts';

/**
 * One token; or all tokens that were issued until `beforeMs` (default: now) to an agent, by a minter, or to anyone. A
 * `beforeMs` in the future counts as now.
 */
export type RevocationTarget =
  | { readonly jti: string }
  | { readonly sub: string; readonly beforeMs?: number }
  | { readonly minter: string; readonly beforeMs?: number }
  | { readonly all: true; readonly beforeMs?: number };

export interface TokenClaims {
  readonly jti?: string | null;
  readonly sub: string;
  /** Null for tokens that no hub minted. */
  readonly minter?: string | null;
  /** Null if the token has no such claim. The token then counts as issued before every revocation. */
  readonly issuedAtMs: number | null;
}

/** The token itself is stored nowhere. */
export interface MintedTokenRecord {
  readonly jti: string;
  readonly sub: string;
  readonly minter: string;
  /** Null: the token has no such claim, and the default applies. */
  readonly kind: AgentKind | null;
  readonly isAdmin: boolean;
  readonly channels: readonly string[] | null;
  readonly mintedAtMs: number;
  readonly expiresAtMs: number;
}

export interface ListedToken extends MintedTokenRecord {
  /** Null before the first use. Updated some seconds after a use. */
  readonly lastUsedAtMs: number | null;
  readonly isRevoked: boolean;
}

export interface TokenQuery {
  readonly sub?: string | undefined;
  readonly minter?: string | undefined;
  /** Lists the tokens after the one with this jti. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface TokenUse {
  readonly jti: string;
  readonly expiresAtMs: number;
  readonly isRefused: boolean;
}

export type RevocationKind = 'jti' | 'sub' | 'minter' | 'all';

const rowsMax = 500;
/**
 * The records of tokens and of their revocations outlive the tokens by a day. Otherwise a hub with a slow clock could
 * accept a revoked token again.
 */
const expiredKeptMs = 86_400_000;

export function revoke(
  engine: Engine,
  target: RevocationTarget,
  audit: AuditRecord | null = null,
): Promise<void> {
  const { kind, value, beforeMs } = rowOf(target);
  const least = sql.raw(engine.dialect === 'sqlite' ? 'min' : 'least');
  const most = sql.raw(engine.dialect === 'sqlite' ? 'max' : 'greatest');
  return engine.write(async (db) => {
    const now = engine.sql.now();
    const until =
      beforeMs === undefined ? now : sql<number>`${least}(${now}, cast(${beforeMs} as bigint))`;
    await db
      .insertInto('revoked_tokens')
      .values({
        kind,
        value,
        revoked_at: until,
        touched: engine.sql.mark,
        expires_at:
          kind === 'jti'
            ? sql<number | null>`(select expires_at from minted_tokens where jti = ${value})`
            : null,
      })
      .onConflict((conflict) =>
        conflict.columns(['kind', 'value']).doUpdateSet({
          // A later revocation with an earlier time must not make tokens valid again.
          revoked_at: sql<number>`${most}(revoked_tokens.revoked_at, excluded.revoked_at)`,
          touched: sql<number>`excluded.touched`,
        }),
      )
      .execute();
    if (audit !== null) await insertAudit(engine, db, [audit]);
  });
}

function rowOf(target: RevocationTarget): {
  readonly kind: RevocationKind;
  readonly value: string;
  readonly beforeMs?: number | undefined;
} {
  if ('jti' in target) return { kind: 'jti', value: target.jti };
  const { beforeMs } = target;
  if ('sub' in target) return { kind: 'sub', value: target.sub, beforeMs };
  if ('minter' in target) return { kind: 'minter', value: target.minter, beforeMs };
  return { kind: 'all', value: '', beforeMs };
}

/**
 * True if the token was revoked. Also true if, after its issue, all tokens of its agent, of its minter or of everyone
 * were revoked. If `issuedAtMs` is in whole seconds, a revocation in the same second applies too.
 */
export async function isRevoked(engine: Engine, token: TokenClaims): Promise<boolean> {
  const row = await engine.db
    .selectFrom('revoked_tokens')
    .select('kind')
    .where((eb) => {
      const issuedBefore = (kind: RevocationKind, value: string) =>
        eb.and([
          eb('kind', '=', kind),
          eb('value', '=', value),
          eb('revoked_at', '>=', token.issuedAtMs ?? 0),
        ]);
      return eb.or([
        issuedBefore('sub', token.sub),
        issuedBefore('all', ''),
        ...(token.minter ? [issuedBefore('minter', token.minter)] : []),
        ...(token.jti ? [eb.and([eb('kind', '=', 'jti'), eb('value', '=', token.jti)])] : []),
      ]);
    })
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Call it before the token is handed out, so that every token in use is listed. */
export function recordMinted(
  engine: Engine,
  token: MintedTokenRecord,
  audit: AuditRecord,
): Promise<void> {
  return engine.write(async (db) => {
    await db
      .insertInto('minted_tokens')
      .values({
        jti: token.jti,
        sub: token.sub,
        minter: token.minter,
        kind: token.kind,
        is_admin: token.isAdmin ? 1 : 0,
        channels: token.channels === null ? null : JSON.stringify(token.channels),
        minted_at: token.mintedAtMs,
        expires_at: token.expiresAtMs,
        last_used_at: null,
      })
      .execute();
    await insertAudit(engine, db, [audit]);
  });
}

/**
 * Pass at most a few hundred, each `jti` once. From a refused use, the store learns when the revoked token expires, and
 * thus when it may remove the revocation.
 */
export async function recordTokenUses(engine: Engine, uses: readonly TokenUse[]): Promise<void> {
  if (uses.length === 0) return;
  const refused = uses.filter(({ isRefused }) => isRefused);
  const accepted = uses.filter(({ isRefused }) => !isRefused).map(({ jti }) => jti);
  await engine.write(async (db) => {
    if (accepted.length > 0) {
      await db
        .updateTable('minted_tokens')
        .set({ last_used_at: engine.sql.now() })
        .where('jti', 'in', accepted)
        .execute();
    }
    for (const { jti, expiresAtMs } of refused) {
      await db
        .updateTable('revoked_tokens')
        .set({ expires_at: expiresAtMs })
        .where('kind', '=', 'jti')
        .where('value', '=', jti)
        .where('expires_at', 'is', null)
        .execute();
    }
  });
}

/** Returns the database's time. Revocations use it. */
export async function readTime(engine: Engine): Promise<number> {
  const { rows } = await sql<{ now: number }>`select ${engine.sql.now()} as now`.execute(engine.db);
  return Number(rows[0]?.now);
}

/** Lists tokens that have not expired, newest first. */
export async function readMinted(
  engine: Engine,
  { sub, minter, cursor, limit }: TokenQuery,
): Promise<{ readonly tokens: readonly ListedToken[]; readonly nextCursor: string | null }> {
  const now = engine.sql.now();
  let query = engine.db
    .selectFrom('minted_tokens as t')
    .selectAll('t')
    .select(
      sql<number>`exists (
        select 1 from revoked_tokens r
        where (r.kind = 'jti' and r.value = t.jti)
          or (r.kind = 'sub' and r.value = t.sub and r.revoked_at >= t.minted_at)
          or (r.kind = 'minter' and r.value = t.minter and r.revoked_at >= t.minted_at)
          or (r.kind = 'all' and r.value = '' and r.revoked_at >= t.minted_at))`.as('is_revoked'),
    )
    .where('t.expires_at', '>', now)
    .orderBy('t.minted_at', 'desc')
    .orderBy('t.jti', 'desc')
    .limit(limit + 1);
  if (sub !== undefined) query = query.where('t.sub', '=', sub);
  if (minter !== undefined) query = query.where('t.minter', '=', minter);
  if (cursor !== undefined) {
    query = query.where(
      sql<boolean>`(t.minted_at, t.jti) < (select minted_at, jti from minted_tokens where jti = ${cursor})`,
    );
  }
  const rows = await query.execute();
  const tokens = rows.slice(0, limit).map((row) => ({
    jti: row.jti,
    sub: row.sub,
    minter: row.minter,
    kind: row.kind,
    isAdmin: row.is_admin === 1,
    channels: row.channels === null ? null : (JSON.parse(row.channels) as string[]),
    mintedAtMs: row.minted_at,
    expiresAtMs: row.expires_at,
    lastUsedAtMs: row.last_used_at,
    // SQLite answers with a number, PostgreSQL with a boolean.
    isRevoked: Boolean(row.is_revoked),
  }));
  return { tokens, nextCursor: rows.length > limit ? (tokens.at(-1)?.jti ?? null) : null };
}

/**
 * Removes what expired over a day ago: minted tokens, and revocations of single tokens, a few hundred of each. Other
 * revocations stay, because a token may be valid for any time. Returns whether there is more.
 */
export function sweepTokens(engine: Engine): Promise<boolean> {
  return engine.write(async (db) => {
    const before = sql<number>`${engine.sql.now()} - ${sql.lit(expiredKeptMs)}`;
    const minted = await deleteExpired(db, 'minted_tokens', sql`jti`, before);
    const revoked = await deleteExpired(db, 'revoked_tokens', sql`kind, value`, before);
    return minted || revoked;
  });
}

async function deleteExpired(
  db: Kysely<Tables>,
  table: 'minted_tokens' | 'revoked_tokens',
  key: ReturnType<typeof sql>,
  before: ReturnType<typeof sql<number>>,
): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`delete from ${sql.table(table)} where (${key}) in (
    select ${key} from ${sql.table(table)} where expires_at < ${before}
    order by expires_at limit ${sql.lit(rowsMax)})`.execute(db);
  return numAffectedRows >= rowsMax;
}
