import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import {
  inserts,
  lookUpStatements,
  type GroupRows,
  type Prefetch,
  type PrefetchedRows,
} from '../core/group-statements.ts';
import type { ChannelWithHead } from '../core/tables.ts';

/** SQLite has one writer, which numbers its commits in order. All commits with a lower mark have therefore ended. */
export const nextMarkSql = `(1 + max(
  coalesce((select mark from log where mark is not null order by mark desc limit 1), 0),
  coalesce((select max(touched) from revoked_tokens), 0)))`;

// A list is one JSON parameter, so that a group costs one statement for each kind of look-up.
const lookUps = lookUpStatements({
  items(columns) {
    const values = Array.from({ length: columns }, (_, index) => `value ->> ${index}`);
    return `select ${values.join(', ')} from json_each(?)`;
  },
  join: 'cross join',
});

/**
 * Prepares the statements of the most frequent commands once. Each execution of an insert writes one row, because
 * within a process this is faster than one statement for all rows.
 */
export function prepareGroupStatements(database: DatabaseSync) {
  const begin = database.prepare('begin immediate');
  const commit = database.prepare('commit');
  const moment = database.prepare(
    `select value as epoch, ${nextMarkSql} as mark from meta where name = 'epoch'`,
  );
  const channels = database.prepare(
    `select c.*, coalesce((select max(seq) from log where channel_id = c.id), 0) as head
     from json_each(?) w cross join channels c on c.id = w.value`,
  );
  const reads = Object.entries(lookUps).map(([list, text]) => ({
    list: list as keyof Prefetch,
    statement: database.prepare(text),
  }));
  const writes = inserts.map(({ table, columns, into, onConflict }) => {
    const values = columns.map(() => '?').join(', ');
    return {
      table,
      names: columns.map(([name]) => name),
      statement: database.prepare(`${into} values (${values}) ${onConflict}`),
    };
  });

  return {
    begin: () => void begin.run(),
    commit: () => void commit.run(),
    moment: () => moment.get() as { epoch: string; mark: number },
    channels: (ids: readonly string[]) =>
      (ids.length === 0 ? [] : channels.all(JSON.stringify(ids))) as unknown as ChannelWithHead[],
    prefetched(prefetch: Prefetch): PrefetchedRows {
      const rows = reads.map(({ list, statement }) => {
        const items = prefetch[list];
        return [list, items.length === 0 ? [] : statement.all(JSON.stringify(items))];
      });
      return Object.fromEntries(rows) as PrefetchedRows;
    },
    write(rows: GroupRows) {
      for (const { table, names, statement } of writes) {
        for (const row of rows[table] as readonly Readonly<Record<string, SQLInputValue>>[]) {
          statement.run(...names.map((name) => row[name] as SQLInputValue));
        }
      }
    },
  };
}
