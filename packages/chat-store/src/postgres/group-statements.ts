import type pg from 'pg';
import {
  inserts,
  lookUpStatements,
  emptyLists,
  type GroupRows,
  type Prefetch,
  type PrefetchedRows,
} from '../core/group-statements.ts';
import { channelColumns } from '../core/tables.ts';

// A group costs two round trips. The first sends BEGIN, the lock of its channels and the prefetch, the second the rows
// and COMMIT. In each round trip the statements are sent without waiting (pg's pipeline mode). They must be separate
// statements: a statement sees the commits from before it began, so only a statement that begins after the lock was
// granted sees the current state. Each is prepared once per connection. Lists are passed as arrays, one for each column,
// so that a statement is the same for any number of items.

export type Statement = pg.QueryConfig<unknown[]>;

const statement = (name: string, text: string, values: unknown[]): Statement => ({
  name: `chat_store_${name}`,
  text,
  values,
});

const unnest = (types: readonly string[]) =>
  `select * from unnest(${types.map((type, index) => `$${index + 1}::${type}[]`).join(', ')})`;

const lookUps = lookUpStatements({
  items: (columns) => unnest(Array.from({ length: columns }, () => 'text')),
  join: 'join',
});

const writes = inserts.map(({ table, columns, into, onConflict }) => ({
  table,
  names: columns.map(([name]) => name),
  text: `${into} ${unnest(columns.map(([, type]) => type))} ${onConflict}`,
}));

/** Locks channels in id order. */
export const lockChannels = (ids: readonly string[]): Statement =>
  statement(
    'lock',
    `select ${channelColumns.join(', ')} from channels
     where id = any($1::text[]) order by id for update`,
    [ids],
  );

/**
 * Reads the database's time and epoch, this transaction's mark, and the channels' heads. It is a separate statement,
 * because the locking statement would read the heads from before the lock was granted.
 */
export const readMoment = (channelIds: readonly string[]): Statement =>
  statement(
    'moment',
    `select value as epoch, pg_current_xact_id()::text::bigint as mark,
       (extract(epoch from clock_timestamp()) * 1000)::bigint as now,
       (select coalesce(json_object_agg(w.id,
          coalesce((select max(seq) from log where channel_id = w.id), 0)), '{}')
        from unnest($1::text[]) as w(id)) as heads
     from meta where name = 'epoch'`,
    [channelIds],
  );

/** The statements of a prefetch, without those for empty lists, and a function that collects their answers. */
export function prefetchStatements(prefetch: Prefetch) {
  const all = Object.entries(prefetch) as [keyof Prefetch, readonly (readonly string[])[]][];
  const lists = all.filter(([, items]) => items.length > 0);
  return {
    statements: lists.map(([list, items]) => {
      const columns = (items[0] ?? []).map((_, index) => items.map((item) => item[index]));
      return statement(`read_${list}`, lookUps[list], columns);
    }),
    collect: (answers: readonly pg.QueryResult[]): PrefetchedRows => {
      const rows = lists.map(([list], index) => [list, answers[index]?.rows ?? []]);
      return { ...emptyLists, ...(Object.fromEntries(rows) as Partial<PrefetchedRows>) };
    },
  };
}

/** The statements that write a group's rows: one for each table that gets rows. */
export function writeRows(rows: GroupRows): Statement[] {
  return writes
    .filter(({ table }) => rows[table].length > 0)
    .map(({ table, names, text }) => {
      const list = rows[table] as readonly Readonly<Record<string, unknown>>[];
      const columns = names.map((name) => list.map((row) => row[name]));
      return statement(`write_${table}`, text, columns);
    });
}
