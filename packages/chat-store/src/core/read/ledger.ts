import type { LedgerGrouping, ParamsOf, ResultOf } from '@openclaw/protocol';
import { decodeListCursor, encodeListCursor } from '@openclaw/protocol/wire';
import { sql, type RawBuilder } from 'kysely';
import { refuse, type Actor } from '../../commands.ts';
import { hourMs, outsideThreads, sumMax } from '../ledger.ts';
import type { Dialect } from '../engine.ts';
import type { LedgerTable } from '../tables.ts';
import { listText, mayRead, openChannel, type Read } from './reading.ts';

/** Bounds the rows of one answer, so that a long report does not block other readers. */
const visitedMax = 200_000;

type Row = ResultOf<'ledger.sum'>['rows'][number];

interface Grouping {
  readonly columns: readonly (keyof LedgerTable)[];
  readonly order: RawBuilder<unknown>;
  readonly after: (cursor: string) => RawBuilder<unknown>;
  readonly cursorOf: (last: Row) => string;
}

const byText = (column: 'channel_id' | 'agent_id', field: 'channelId' | 'agentId'): Grouping => ({
  columns: [column],
  order: sql`l.${sql.ref(column)}`,
  after: (cursor) => sql`l.${sql.ref(column)} > ${cursor}`,
  cursorOf: (last) => last[field] ?? '',
});

const groupings: Readonly<Record<LedgerGrouping, Grouping>> = {
  channel: byText('channel_id', 'channelId'),
  agent: byText('agent_id', 'agentId'),
  thread: {
    columns: ['channel_id', 'thread_id'],
    order: sql`l.channel_id, l.thread_id`,
    after(cursor) {
      const place = decodeListCursor(cursor, 'name');
      return sql`(l.channel_id, l.thread_id) > (${place?.id ?? ''}, ${String(place?.by ?? '')})`;
    },
    cursorOf: ({ channelId, threadId }) =>
      encodeListCursor({ by: threadId ?? outsideThreads, id: channelId ?? '' }),
  },
  hour: {
    columns: ['hour'],
    order: sql`l.hour desc`,
    after: (cursor) => sql`l.hour < cast(${Number(cursor)} as bigint)`,
    cursorOf: (last) => String(last.hourMs),
  },
};

/**
 * Sums over the caller's channels. For an admin, sums over all channels that the admin may read. Reads at most {@link
 * visitedMax} rows. A cursor skips the rows of earlier pages.
 */
export const sumLedger: Read<'ledger.sum'> = async (
  db,
  actor,
  params,
  maxBytes,
  dialect = 'sqlite',
) => {
  const { channelId, by, cursor, limit } = params;
  if (channelId !== null) {
    const opened = await openChannel(db, actor, channelId, 'member');
    if (!opened.ok) return opened;
  }
  if (actor.channels?.length === 0) return { ok: true, result: { rows: [], nextCursor: null } };
  const { columns, order, after, cursorOf } = groupings[by];
  const group = sql.join(columns.map((column) => sql`l.${sql.ref(column)}`));
  const sums = sql.join(
    (['turns', 'tokens_in', 'tokens_out', 'cost_micros', 'ms'] as const).map(
      (column) => sql`${boundedSum(column, dialect)} as ${sql.ref(column)}`,
    ),
  );
  const conditions = sql.join(
    [...conditionsOf(actor, params), ...(cursor === null ? [] : [after(cursor)])],
    sql` and `,
  );
  const { rows } = await sql<LedgerTable & { visited: number }>`
    with w as materialized (
      select l.* from channels c ${joinOfMembers(actor)} join ledger l on l.channel_id = c.id
      where ${conditions} limit ${sql.lit(visitedMax + 1)})
    select ${group}, ${sums}, (select count(*) from w) as visited
    from w as l group by ${group} order by ${order} limit ${limit + 1}`.execute(db);
  if ((rows[0]?.visited ?? 0) > visitedMax) {
    return refuse(
      'too_large',
      `over ${visitedMax} hourly sums: name a channel or an agent, or narrow after and before`,
    );
  }
  return listText('rows', rows.map(rowOf), { limit, maxBytes }, (row) => row, cursorOf);
};

function joinOfMembers({ isAdmin, agentId }: Actor): RawBuilder<unknown> {
  return isAdmin ? sql`` : sql`join members m on m.channel_id = c.id and m.agent_id = ${agentId}`;
}

function conditionsOf(
  actor: Actor,
  { channelId, agentId, after, before }: ParamsOf<'ledger.sum'>,
): RawBuilder<unknown>[] {
  const { isAdmin, channels } = actor;
  const conditions = [sql`c.deleted_at is null`];
  if (isAdmin) conditions.push(mayRead(actor));
  if (channels) conditions.push(sql`c.id in (${sql.join([...channels])})`);
  if (channelId !== null) conditions.push(sql`c.id = ${channelId}`);
  if (agentId !== null) conditions.push(sql`l.agent_id = ${agentId}`);
  const hour = (at: number) => sql`cast(${at * hourMs} as bigint)`;
  if (after !== null) conditions.push(sql`l.hour >= ${hour(Math.floor(after / hourMs))}`);
  if (before !== null) conditions.push(sql`l.hour < ${hour(Math.ceil(before / hourMs))}`);
  return conditions;
}

// SQLite's sum() fails on an integer overflow. total() adds floating-point numbers, which are exact up to the limit.
function boundedSum(column: keyof LedgerTable, dialect: Dialect): RawBuilder<unknown> {
  const ref = sql`l.${sql.ref(column)}`;
  return dialect === 'sqlite'
    ? sql`cast(min(total(${ref}), ${sql.lit(sumMax)}) as integer)`
    : sql`least(sum(${ref}), ${sql.lit(sumMax)})::bigint`;
}

function rowOf(row: Partial<LedgerTable>): Row {
  const { turns = 0, tokens_in = 0, tokens_out = 0, cost_micros = 0, ms = 0 } = row;
  return {
    channelId: row.channel_id ?? null,
    threadId: row.thread_id || null,
    agentId: row.agent_id ?? null,
    hourMs: row.hour ?? null,
    turns,
    tokensIn: tokens_in,
    tokensOut: tokens_out,
    costMicros: cost_micros,
    ms,
  };
}
