import { sql } from 'kysely';
import type { Engine } from './engine.ts';

/** A revoked token (`jti`), or all tokens that an agent (`sub`) got up to then; the other is null. */
export interface RevokedToken {
  readonly jti: string | null;
  readonly sub: string | null;
  readonly revokedAtMs: number;
}

/** What was committed since a mark. */
export interface Changes {
  /** To ask with next time. */
  readonly mark: number;
  readonly epoch: string;
  readonly heads: readonly { readonly channelId: string; readonly head: number }[];
  readonly revoked: readonly RevokedToken[];
}

const rowsMax = 5000;

interface Row {
  readonly what: 'now' | 'head' | 'jti' | 'sub';
  readonly id: string;
  readonly n: number;
  readonly touched: number;
}

/**
 * Heads and revocations of the commits since `sinceMark`, in one statement that walks an index from the mark on. With
 * null: nothing but the mark to begin with.
 *
 * A mark is no time: clocks go back, and commits do not come in the order of their clocks. On SQLite, where there is one
 * writer at a time, it counts the commits. On PostgreSQL it is the transaction's id, and the mark to ask with next is
 * the oldest id that was still running: whatever it commits later is found then, however long it took. So a head may
 * come twice, and none is missed.
 */
export async function readChanges(engine: Engine, sinceMark: number | null): Promise<Changes> {
  // A database that was restored or failed over may be behind the mark: then everything from its own present on.
  const lesser = sql.raw(engine.dialect === 'sqlite' ? 'min' : 'least');
  const since = sql`${lesser}(${sinceMark ?? Number.MAX_SAFE_INTEGER}, ${engine.sql.horizon})`;
  const { rows } = await sql<Row>`
    select 'now' as what, value as id, ${engine.sql.horizon} as n, 0 as touched
      from meta where name = 'epoch'
    union all select * from (
      select 'head' as what, id, head as n, touched from channels
      where touched >= ${since} order by touched limit ${sql.lit(rowsMax)}) as h
    union all select * from (
      select kind as what, value as id, revoked_at as n, touched from revoked_tokens
      where touched >= ${since} order by touched limit ${sql.lit(rowsMax)}) as r`.execute(
    engine.db,
  );
  let mark = 0;
  let epoch = '';
  const heads: { channelId: string; head: number }[] = [];
  const revoked: RevokedToken[] = [];
  const lastOf = new Map<boolean, { count: number; touched: number }>();
  for (const { what, id, n, touched } of rows) {
    if (what === 'now') {
      mark = n;
      epoch = id;
      continue;
    }
    const isHead = what === 'head';
    lastOf.set(isHead, { count: (lastOf.get(isHead)?.count ?? 0) + 1, touched });
    if (isHead) heads.push({ channelId: id, head: n });
    else {
      const isJti = what === 'jti';
      revoked.push({ jti: isJti ? id : null, sub: isJti ? null : id, revokedAtMs: n });
    }
  }
  // A full list goes on where it ended. One commit touches fewer channels than that, so it does go on.
  for (const { count, touched } of lastOf.values()) {
    if (count === rowsMax) mark = Math.min(mark, touched);
  }
  return { mark, epoch, heads, revoked };
}
