import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely, sql } from 'kysely';
import type { Engine, GroupTransaction } from '../core/engine.ts';
import { migrate } from '../core/migrate.ts';
import type { Tables } from '../core/tables.ts';
import { createNodeSqliteDialect, openDatabase } from './database.ts';
import { nextMarkSql, prepareGroupStatements } from './group-statements.ts';
import { commitFailure, sqliteFailure } from './sqlite-errors.ts';

export interface SqliteEngineOptions {
  readonly path: string;
  readonly readOnly: boolean;
  /** How long a write waits for another process' lock. The wait blocks the thread. */
  readonly busyTimeoutMs: number;
  readonly clock?: () => number;
}

/**
 * Opens the file; creates and migrates it if necessary. Make one call of the engine at a time, because it has only one
 * connection.
 * @throws {ChatStoreError} `locked`, `unwritable`, `corrupt`, `newer_schema`, `unavailable`
 */
export async function openSqliteEngine(options: SqliteEngineOptions): Promise<Engine> {
  const { path, readOnly, busyTimeoutMs, clock = Date.now } = options;
  const failureOf = (error: unknown) => sqliteFailure(error, path) ?? 'fault';
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch {
    // The code below opens the file, and reports the error more clearly.
  }
  try {
    const database = openDatabase(path, busyTimeoutMs, readOnly);
    const db = new Kysely<Tables>({ dialect: createNodeSqliteDialect(database, readOnly) });
    if (!readOnly) await migrate(db, 'sqlite');
    return createEngine(database, db, { path, clock, failureOf });
  } catch (error) {
    throw sqliteFailure(error, path) ?? error;
  }
}

function createEngine(
  database: ReturnType<typeof openDatabase>,
  db: Kysely<Tables>,
  { path, clock, failureOf }: { path: string; clock: () => number } & Pick<Engine, 'failureOf'>,
): Engine {
  // Prepared with the first group, because a reader may be opened before the tables exist.
  let prepared: ReturnType<typeof prepareGroupStatements> | undefined;
  const statements = () => (prepared ??= prepareGroupStatements(database));
  const mark = sql<number>`${sql.raw(nextMarkSql)}`;
  const transaction: GroupTransaction = {
    db,
    locksRows: false,
    prefetched: async (prefetch) => statements().prefetched(prefetch),
    write: async (rows) => statements().write(rows),
    async commit(rows) {
      statements().write(rows);
      try {
        statements().commit();
      } catch (error) {
        throw commitFailure(error, path);
      }
    },
    async rollback() {
      try {
        database.exec('ROLLBACK');
      } catch {
        // After some errors, SQLite has already ended the transaction.
      }
    },
  };
  return {
    dialect: 'sqlite',
    db,
    snapshot: (work) => db.transaction().execute(work),
    write: (work) => db.transaction().execute(work),
    beforeGroup: (work) => work(db),
    async beginGroup(channelIds, prefetch) {
      // Locks the whole database, so rows need no locks.
      statements().begin();
      try {
        const { epoch, mark } = statements().moment();
        const channels = statements().channels(channelIds);
        const prefetched = statements().prefetched(prefetch);
        return { transaction, nowMs: clock(), mark, epoch, channels, prefetched };
      } catch (error) {
        await transaction.rollback();
        throw error;
      }
    },
    sql: {
      now: () => sql<number>`${clock()}`,
      mark,
      // There is one writer, so a reader sees every commit that has a mark, and no transaction counts as open.
      seen: { next: mark, open: sql<string>`'[]'`, end: mark, lag: sql<number>`0` },
    },
    failureOf,
    close: () => db.destroy(),
  };
}
