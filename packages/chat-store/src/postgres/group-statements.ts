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

// A group costs two round trips: first BEGIN, the lock and the prefetch, then the rows and COMMIT. Only a statement
// that begins after the lock was granted sees the current state. The lock and the prefetch are therefore separate
// statements, sent in pg's pipeline mode.

export type Statement = pg.QueryConfig<unknown[]>;

const statement = (name: string, text: string, values: unknown[]): Statement => ({
  name: `chat_store_${name}`,
  text,
  values,
});

const unnest = (types: readonly string[], firstParam = 1) =>
  `select * from unnest(${types.map((type, index) => `$${firstParam + index}::${type}[]`).join(', ')})`;

const lookUps = lookUpStatements({
  items: (columns) => unnest(Array.from({ length: columns }, () => 'text')),
  join: 'join',
});

type Insert = (typeof inserts)[number];

function insertText({ columns, into, onConflict }: Insert, firstParam?: number): string {
  const types = columns.map(([, type]) => type);
  return `${into} ${unnest(types, firstParam)} ${onConflict}`;
}

function insertValues({ table, columns }: Insert, rows: GroupRows): unknown[] {
  const list = rows[table] as readonly Readonly<Record<string, unknown>>[];
  return columns.map(([name]) => list.map((row) => row[name]));
}

const insertOf = (table: keyof GroupRows) => inserts.find((insert) => insert.table === table)!;

const writes = inserts.map((insert) => ({ insert, text: insertText(insert) }));

// One statement writes messages and inbox items, so a direct message, a mention or a reply costs no second statement.
const messages = insertOf('messages');
const inbox = insertOf('inbox');
const messagesWithInbox = `with items as (${insertText(inbox, messages.columns.length + 1)})
  ${insertText(messages)}`;

/** In id order, so that two groups cannot deadlock. */
export const lockChannels = (ids: readonly string[]): Statement =>
  statement(
    'lock',
    `select ${channelColumns.join(', ')} from channels
     where id = any($1::text[]) order by id for update`,
    [ids],
  );

/** A separate statement, because the statement that locks would read the heads from before the lock was granted. */
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

/** Makes no statement for an empty list. `collect` needs the answers in the order of the statements. */
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

export function writeRows(rows: GroupRows): Statement[] {
  const isTogether = rows.messages.length > 0 && rows.inbox.length > 0;
  const statements = writes
    .filter(({ insert }) => rows[insert.table].length > 0)
    .filter(({ insert }) => !isTogether || (insert !== messages && insert !== inbox))
    .map(({ insert, text }) =>
      statement(`write_${insert.table}`, text, insertValues(insert, rows)),
    );
  if (!isTogether) return statements;
  const values = [...insertValues(messages, rows), ...insertValues(inbox, rows)];
  return [...statements, statement('write_messages_and_inbox', messagesWithInbox, values)];
}
