import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { migrate, readSchema, type SchemaState } from './core/migrate.ts';
import type { Dialect } from './core/engine.ts';
import { readHubActivity, type HubActivity } from './core/hubs.ts';
import type { StoreCore } from './core/store-core.ts';
import type { Tables } from './core/tables.ts';
import { ChatStoreError } from './errors.ts';
import { parseOptions } from './options.ts';

export type { HubActivity } from './core/hubs.ts';
export type { PlannedMigration, SchemaState } from './core/migrate.ts';
export { whyNotServed } from './core/migrate.ts';

/** A database and its copy must have equal ledgers. */
export interface DatabaseLedger {
  readonly epoch: string;
  readonly migration: string;
  readonly channels: number;
  /** Durable events, the sum of all heads. */
  readonly events: number;
  /** Null while there is no event. */
  readonly latestEventAtMs: number | null;
  /** SHA-256 over each channel's id, head, and last event's id. */
  readonly headsSha256: string;
}

/** For tools that migrate, back up and restore a database. */
export interface Maintenance {
  readonly engine: Dialect;
  /** Compares the schema with this release's. Changes nothing. */
  schema(): Promise<SchemaState>;
  migrate(): Promise<void>;
  hubActivity(): Promise<HubActivity>;
  /** Reads one row of each channel. */
  ledger(): Promise<DatabaseLedger>;
  /** Lists all channels' ids after `after`, in order. */
  channelIds(after: string, limit: number): Promise<string[]>;
  /**
   * Holds one snapshot of PostgreSQL while `work` runs. Other connections, such as those of pg_dump, can use the
   * snapshot's id to read exactly what the ledger describes.
   */
  withSnapshot<T>(work: (snapshotId: string, ledger: DatabaseLedger) => Promise<T>): Promise<T>;
  /**
   * Migrates the database, and indexes all messages for search. A hub pauses after each step of its indexing, to leave
   * three quarters of the time to commits. This call does not pause, so call it only while no hub runs.
   */
  indexMessages(): Promise<void>;
  /** Begins and returns a new epoch, for a database that another program restored. */
  beginEpoch(): Promise<string>;
  close(): Promise<void>;
}

/** A day, because a migration may change millions of rows, and a dump holds its snapshot until it ends. */
const statementTimeoutMs = 24 * 3_600_000;
const lockTimeoutMs = 60_000;

/**
 * Statements that begin a new epoch in a restored copy. Run them in the restore's transaction, so that no hub serves
 * the copy in its old epoch. The statements also delete the heartbeats of the original's hubs.
 */
export function newEpochStatements(epoch: string = randomUUID()): readonly string[] {
  if (!/^[\w-]+$/.test(epoch))
    throw new ChatStoreError('invalid_options', 'an epoch has only letters, digits, _ and -');
  return [`update meta set value = '${epoch}' where name = 'epoch'`, 'delete from hubs'];
}

/**
 * Does not migrate the database. A SQLite file must exist.
 * @throws {ChatStoreError} as createChatStore does
 */
export async function openMaintenance(url: string): Promise<Maintenance> {
  const { target } = parseOptions({ url });
  return target.engine === 'sqlite' ? openSqlite(target.path) : openPostgres(target.url);
}

async function openCore(url: string, onFault: (fault: string) => void): Promise<StoreCore> {
  const { target, lockTimeoutMs: lockWaitMs, timeoutMs, poolSize } = parseOptions({ url });
  const bounds = { lockTimeoutMs: lockWaitMs, timeoutMs };
  if (target.engine === 'sqlite') {
    const { openSqliteCore } = await import('./sqlite/sqlite-core.ts');
    return openSqliteCore({ ...bounds, path: target.path }, onFault);
  }
  const { openPostgresCore } = await import('./postgres/postgres-core.ts');
  return openPostgresCore({ ...bounds, url: target.url, poolSize }, onFault);
}

async function indexMessages(url: string): Promise<void> {
  const faults: string[] = [];
  const core = await openCore(url, (fault) => void faults.push(fault));
  try {
    for (let isDone = false; !isDone;) {
      const { isBehind, isMore, isLocked } = await core.feedSearch();
      isDone = !isBehind && !isMore && !isLocked;
    }
  } finally {
    await core.close();
  }
  if (faults[0] !== undefined) throw new ChatStoreError('internal', faults[0]);
}

async function openSqlite(path: string): Promise<Maintenance> {
  const [{ createNodeSqliteDialect, openDatabase }, { sqliteFailure }] = await Promise.all([
    import('./sqlite/database.ts'),
    import('./sqlite/sqlite-errors.ts'),
  ]);
  if (!existsSync(path)) throw new ChatStoreError('unavailable', `there is no file ${path}`);
  const failureOf = (error: unknown) => sqliteFailure(error, path) ?? error;
  try {
    const database = openDatabase(path, lockTimeoutMs, false);
    const dialect = createNodeSqliteDialect(database, false);
    return createMaintenance(`sqlite:${path}`, 'sqlite', new Kysely({ dialect }), failureOf);
  } catch (error) {
    throw failureOf(error);
  }
}

async function openPostgres(url: string): Promise<Maintenance> {
  const [{ clientConfig, createPool }, { postgresFailure }, { isTransactionPooled }] =
    await Promise.all([
      import('./postgres/connections.ts'),
      import('./postgres/postgres-errors.ts'),
      import('./postgres/session.ts'),
    ]);
  // With another application name, this connection is not counted as a hub.
  const named = new URL(url);
  named.searchParams.set('application_name', 'openclaw-maintenance');
  const server = `${named.host}${named.pathname}`;
  const failureOf = (error: unknown) => {
    const failure = postgresFailure(error, server);
    return failure instanceof ChatStoreError ? failure : error;
  };
  const settings = {
    url: named.href,
    timeoutMs: statementTimeoutMs,
    lockTimeoutMs,
    poolSize: 2,
  };
  const isPooled = await isTransactionPooled(clientConfig(settings)).catch((error: unknown) => {
    throw failureOf(error);
  });
  const { pool } = createPool({ ...settings, session: { isPooled } });
  return createMaintenance(
    url,
    'postgres',
    new Kysely({ dialect: new PostgresDialect({ pool }) }),
    failureOf,
  );
}

function createMaintenance(
  url: string,
  engine: Dialect,
  db: Kysely<Tables>,
  failureOf: (error: unknown) => unknown,
): Maintenance {
  const mapped = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw failureOf(error);
    }
  };
  const snapshot = <T>(work: (within: Kysely<Tables>) => Promise<T>) => {
    const transaction = db.transaction();
    return engine === 'sqlite'
      ? transaction.execute(work)
      : transaction.setIsolationLevel('repeatable read').setAccessMode('read only').execute(work);
  };
  return {
    engine,
    schema: () => mapped(() => readSchema(db, engine)),
    migrate: () => mapped(() => migrate(db, engine)),
    hubActivity: () => mapped(() => readHubActivity(db, engine)),
    ledger: () => mapped(() => snapshot(readLedger)),
    channelIds: (after, limit) =>
      mapped(async () => {
        const page = db.selectFrom('channels').select('id').where('id', '>', after);
        return (await page.orderBy('id').limit(limit).execute()).map(({ id }) => id);
      }),
    withSnapshot: (work) =>
      mapped(() =>
        snapshot(async (within) => {
          const ledger = await readLedger(within);
          const { rows } = await sql<{ id: string }>`select pg_export_snapshot() as id`.execute(
            within,
          );
          return work(rows[0]?.id ?? '', ledger);
        }),
      ),
    indexMessages: () => mapped(() => indexMessages(url)),
    beginEpoch: () =>
      mapped(() =>
        db.transaction().execute(async (within) => {
          const epoch = randomUUID();
          for (const statement of newEpochStatements(epoch))
            await sql.raw(statement).execute(within);
          return epoch;
        }),
      ),
    close: () => db.destroy(),
  };
}

async function readLedger(db: Kysely<Tables>): Promise<DatabaseLedger> {
  const meta = await db
    .selectFrom('meta')
    .select('value')
    .where('name', '=', 'epoch')
    .executeTakeFirstOrThrow();
  const { rows: newest } = await sql<{ name: string }>`
    select name from chat_store_migrations order by name desc limit 1`.execute(db);
  const rows = await db
    .selectFrom('channels as c')
    .leftJoin('log as l', (join) =>
      join
        .onRef('l.channel_id', '=', 'c.id')
        .on('l.seq', '=', sql<number>`(select max(seq) from log where channel_id = c.id)`),
    )
    .select(['c.id as channelId', 'l.seq', 'l.id', 'l.timestamp'])
    .orderBy('c.id')
    .execute();
  const hash = createHash('sha256');
  let events = 0;
  let latestEventAtMs: number | null = null;
  for (const { channelId, seq, id, timestamp } of rows) {
    events += seq ?? 0;
    if (timestamp !== null) latestEventAtMs = Math.max(latestEventAtMs ?? 0, timestamp);
    hash.update(`${channelId}\n${seq ?? 0}\n${id ?? ''}\n`);
  }
  return {
    epoch: meta.value,
    migration: newest[0]?.name ?? '',
    channels: rows.length,
    events,
    latestEventAtMs,
    headsSha256: hash.digest('hex'),
  };
}
