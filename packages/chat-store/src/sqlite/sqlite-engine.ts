import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely, sql } from 'kysely';
import type { Engine, GroupTransaction } from '../core/engine.ts';
import { migrate } from '../core/migrate.ts';
import type { Tables } from '../core/tables.ts';
import { createNodeSqliteDialect, openDatabase } from './database.ts';
import { nextMarkSql, prepareGroupStatements } from './group-statements.ts';
import { commitFailure, sqliteFailure } from './sqlite-errors.ts';

/** How one connection to the file is used. */
export interface SqliteEngineOptions {
  readonly path: string;
  /** A reader sees commits and makes none; it may be opened before a writer made the tables, and asked after. */
  readonly readOnly: boolean;
  /** How long a write waits while another process holds the lock; it blocks its thread. */
  readonly busyTimeoutMs: number;
  readonly clock?: () => number;
}

/**
 * Opens the file, creating and migrating it as needed. One connection, on this thread: whoever uses it does one thing
 * after the other.
 * @throws {ChatStoreError} `locked`, `unwritable`, `corrupt`, `newer_schema`, `unavailable`
 */
export async function openSqliteEngine(options: SqliteEngineOptions): Promise<Engine> {
  const { path, readOnly, busyTimeoutMs, clock = Date.now } = options;
  const failureOf = (error: unknown) => sqliteFailure(error, path) ?? 'fault';
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch {
    // Opening says it better.
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
  // Prepared with the first group: a reader has none, and may be open before the tables are there.
  let prepared: ReturnType<typeof prepareGroupStatements> | undefined;
  const statements = () => (prepared ??= prepareGroupStatements(database));
  const mark = sql<number>`${sql.raw(nextMarkSql)}`;
  const transaction: GroupTransaction = {
    db,
    locksRows: false,
    prefetched: async (prefetch) => statements().facts(prefetch),
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
        // Some errors have ended the transaction by themselves.
      }
    },
  };
  return {
    dialect: 'sqlite',
    db,
    snapshot: (work) => db.transaction().execute(work),
    write: (work) => db.transaction().execute(work),
    async beginGroup(channelIds, prefetch) {
      // Takes the lock of the whole database: no row needs one of its own.
      statements().begin();
      try {
        const { epoch, mark } = statements().moment();
        const channels = statements().channels(channelIds);
        const facts = statements().facts(prefetch);
        return { transaction, nowMs: clock(), mark, epoch, channels, prefetched: facts };
      } catch (error) {
        await transaction.rollback();
        throw error;
      }
    },
    sql: {
      now: () => sql<number>`${clock()}`,
      mark,
      // A reader sees every commit that was counted: there is one writer, so none is open beside them.
      seen: { next: mark, open: sql<string>`'[]'`, end: mark, lag: sql<number>`0` },
    },
    failureOf,
    close: () => db.destroy(),
  };
}
