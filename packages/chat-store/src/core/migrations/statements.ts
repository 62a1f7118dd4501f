import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { Dialect } from '../engine.ts';

export function columnsOf(dialect: Dialect) {
  const isSqlite = dialect === 'sqlite';
  return {
    // Ids are compared bytewise, because paging and lock order must not depend on a server's locale.
    id: isSqlite ? sql`text` : sql`text collate "C"`,
    // On SQLite, rows are stored in the tree of the primary key, so that a channel's log is contiguous on disk.
    clustered: isSqlite ? sql`without rowid` : sql``,
  };
}

export async function runAll(
  db: Kysely<unknown>,
  statements: readonly RawBuilder<unknown>[],
): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
