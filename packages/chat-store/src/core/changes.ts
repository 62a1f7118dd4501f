import { sql, type RawBuilder } from 'kysely';
import type { Engine } from './engine.ts';
import { freezesRow } from './freezes.ts';
import { headOf } from './head.ts';
import { nextCommitMark, type CommitMark } from './commit-mark.ts';
import type { RevocationKind } from './tokens.ts';

/**
 * One token (`jti`), or all tokens issued until `revokedAtMs`: those of an agent (`sub`), those of a `minter`, or
 * everyone's if all three are null.
 */
export interface RevokedToken {
  readonly jti: string | null;
  readonly sub: string | null;
  readonly minter: string | null;
  readonly revokedAtMs: number;
}

export interface Changes {
  readonly mark: CommitMark;
  /** True if there are more commits: call again at once. */
  readonly hasMore: boolean;
  readonly epoch: string;
  readonly heads: readonly { readonly channelId: string; readonly head: number }[];
  readonly revoked: readonly RevokedToken[];
  /**
   * The present `Freezes.version`. It changes with each freeze of an agent or of the hub, and with each end of such a
   * freeze.
   */
  readonly freezes: string;
  /** The number of transactions that began since the oldest open one; 0 on SQLite. */
  readonly transactionLag: number;
}

/**
 * The most rows of each list that one statement reads. More than `maxGroup`, so that a statement reads at least one
 * whole commit.
 */
const rowsMax = 5000;

interface Row {
  readonly what: 'now' | 'page' | 'head' | 'freezes' | RevocationKind;
  readonly id: string;
  readonly n: number;
  readonly m: number;
  readonly open: string | null;
}

/**
 * Heads and revocations of the commits since `since`, by one statement that walks an index. If `since` is null, both
 * lists are empty, and `mark` is the place to start from. A returned head may include later commits.
 */
export async function readChanges(engine: Engine, since: CommitMark | null): Promise<Changes> {
  const { seen } = engine.sql;
  const lesser = sql.raw(engine.dialect === 'sqlite' ? 'min' : 'least');
  // After a restore or a failover, the database may be behind the mark. The walk then starts at the newest commit.
  const from = sql`${lesser}(cast(${since?.next ?? Number.MAX_SAFE_INTEGER} as bigint), ${seen.end})`;
  const open = since?.open ?? [];
  const changed = (table: string, mark: string, columns: string) => {
    const list = (number: number, condition: RawBuilder<unknown>) =>
      sql`select * from (
        select ${sql.lit(number)} as list, ${sql.raw(`${mark} as mark, ${columns} from ${table}`)}
        where ${condition} order by ${sql.ref(mark)} limit ${sql.lit(rowsMax)}) as l`;
    const isNew = list(0, sql`${sql.ref(mark)} >= ${from} and ${sql.ref(mark)} < ${seen.end}`);
    // Each transaction that was open at the mark costs one index look-up.
    return open.length === 0
      ? isNew
      : sql`${isNew} union all ${list(1, sql`${sql.ref(mark)} in (${sql.join([...open])})`)}`;
  };
  const { rows } = await sql<Row>`
    with log_rows as materialized (${changed('log', 'mark', 'channel_id')}),
      token_rows as materialized (${changed('revoked_tokens', 'touched', 'kind, value, revoked_at')})
    select 'now' as what, value as id, ${seen.next} as n, ${seen.lag} as m, ${seen.open} as open
      from meta where name = 'epoch'
    union all select 'freezes', value, 0, 0, null from meta where name = ${freezesRow}
    union all select 'page', '', count(*), max(mark), null from log_rows group by list
    union all select 'page', '', count(*), max(mark), null from token_rows group by list
    union all select 'head', c.channel_id, ${headOf('c.channel_id')}, 0, null
      from (select distinct channel_id from log_rows) as c
    union all select kind, value, revoked_at, 0, null from token_rows`.execute(engine.db);

  let now: { mark: CommitMark; epoch: string; lag: number } | undefined;
  let readTo = Infinity;
  let freezes = '';
  const heads: { channelId: string; head: number }[] = [];
  const revoked: RevokedToken[] = [];
  for (const { what, id, n, m, open: stillOpen } of rows) {
    if (what === 'now') {
      const mark = { next: n, open: JSON.parse(stillOpen ?? '[]') as number[] };
      now = { mark, epoch: id, lag: m };
    } else if (what === 'page') {
      // A full list may end in the middle of its last commit.
      if (n === rowsMax) readTo = Math.min(readTo, m - 1);
    } else if (what === 'freezes') {
      freezes = id;
    } else if (what === 'head') {
      heads.push({ channelId: id, head: n });
    } else {
      revoked.push({ jti: null, sub: null, minter: null, ...named(what, id), revokedAtMs: n });
    }
  }
  if (!now) throw new Error('the database has no epoch');
  const hasMore = since !== null && readTo !== Infinity;
  const mark = hasMore ? nextCommitMark(since, now.mark, readTo) : now.mark;
  return { mark, hasMore, epoch: now.epoch, heads, revoked, freezes, transactionLag: now.lag };
}

function named(kind: RevocationKind, value: string): Partial<RevokedToken> {
  return kind === 'all' ? {} : { [kind]: value };
}
