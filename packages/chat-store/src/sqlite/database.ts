import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { SqliteAdapter, SqliteDialect, type SqliteDatabase } from 'kysely';

/** Readers work beside one writer, and a commit is durable on disk. */
export function openDatabase(path: string, busyTimeoutMs: number, readOnly: boolean): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    database.exec('PRAGMA cache_size = -16384');
    if (readOnly) {
      database.exec('PRAGMA query_only = ON');
      // The first read opens the write-ahead log. SQLite removes the log when no connection has it open, so this
      // connection opens it at once.
      database.exec('SELECT count(*) FROM sqlite_schema');
    } else {
      database.exec('PRAGMA journal_mode = WAL');
      database.exec('PRAGMA synchronous = FULL');
      database.exec('PRAGMA journal_size_limit = 67108864');
      // A checkpoint copies a page once, no matter how many commits changed it, so fewer checkpoints copy less.
      database.exec('PRAGMA wal_autocheckpoint = 2000');
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

const statementsMax = 200;
const returnsRows = /^\s*(select|with|pragma|explain)\b|\breturning\b/i;

/**
 * Kysely's dialect on node:sqlite. A writer's transactions are IMMEDIATE: a transaction that takes the lock later could
 * fail without waiting.
 */
export function createNodeSqliteDialect(database: DatabaseSync, readOnly: boolean): SqliteDialect {
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known) return known;
    if (statements.size >= statementsMax) statements.clear();
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  const adapted: SqliteDatabase = {
    close: () => database.close(),
    prepare(sql) {
      const statement = prepare(sql === 'begin' && !readOnly ? 'begin immediate' : sql);
      const bind = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
      return {
        reader: returnsRows.test(sql),
        all: (parameters) => statement.all(...bind(parameters)),
        run: (parameters) => statement.run(...bind(parameters)),
        iterate: (parameters) => statement.iterate(...bind(parameters)),
      };
    },
  };
  return new TransactionalSqliteDialect({ database: adapted });
}

// SQLite's DDL is transactional, although Kysely's adapter denies it. This override makes a migration one immediate
// transaction: if two hubs start at once, the second waits, and an interrupted migration leaves no trace.
class TransactionalSqliteDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new (class extends SqliteAdapter {
      override get supportsTransactionalDdl(): boolean {
        return true;
      }
    })();
  }
}
