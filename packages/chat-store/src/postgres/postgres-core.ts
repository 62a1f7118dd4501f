import { CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely';
import type pg from 'pg';
import { coreCalls, coreOf, type CoreCall } from '../core/core-calls.ts';
import type { Engine } from '../core/engine.ts';
import { migrate } from '../core/migrate.ts';
import { createStoreCore, type StoreCore } from '../core/store-core.ts';
import type { Tables } from '../core/tables.ts';
import type { ReportFault } from '../core/run-group.ts';
import { ChatStoreError } from '../errors.ts';
import { lookUpsAtOnce } from '../options.ts';
import {
  clientConfig,
  createCommitConnection,
  createMigrationPool,
  createPool,
  type PostgresSettings,
} from './connections.ts';
import { createGroups } from './group-transaction.ts';
import { postgresFailure, sqlState } from './postgres-errors.ts';
import { bounds, isTransactionPooled, setSettings, type SessionMode } from './session.ts';
import { refuseWhileSilent } from './silence.ts';

/** How long a call waits for a silent server. */
const probeMs = 100;

/** Connections for system calls and look-ups. Look-ups never take all of them. */
const systemPoolSize = lookUpsAtOnce + 2;

/** A prepared statement does not exist, or exists already. */
const lostStatement: ReadonlySet<string> = new Set(['26000', '42P05']);

type OnPool = (
  name: 'reads' | 'system',
  read: () => { readonly open: number; readonly idle: number; readonly waiting: number },
) => void;

/**
 * Migrates and connects.
 * @throws {ChatStoreError} `unavailable`, `unauthorized`, `locked`, `newer_schema`
 */
export async function openPostgresCore(
  options: Omit<PostgresSettings, 'session'>,
  onFault: (fault: string, doing: string) => void,
  onPool: OnPool = () => undefined,
): Promise<StoreCore> {
  const server = nameOf(options.url);
  const session: SessionMode = { isPooled: false };
  const settings = { ...options, session };
  const failureOf = (error: unknown) => {
    // A lost statement means that a pooler was put in front of the running server, so that statements reach other
    // clients' sessions. From then on, nothing is prepared.
    if (!lostStatement.has(sqlState(error) ?? '')) return postgresFailure(error, server);
    session.isPooled = true;
    return 'again' as const;
  };
  const migrations = kyselyOn(createMigrationPool(settings).pool);
  try {
    session.isPooled = await isTransactionPooled(clientConfig(settings));
    await migrate(migrations, 'postgres');
  } catch (error) {
    const failure = failureOf(error);
    throw failure instanceof ChatStoreError ? failure : error;
  } finally {
    await migrations.destroy();
  }
  const report: ReportFault = (error, doing) =>
    onFault(error instanceof Error ? (error.stack ?? error.message) : String(error), doing);
  const poolOf = (name: 'reads' | 'system', own: PostgresSettings) =>
    createStoreCore(
      createEngine(own, server, failureOf, (read) => onPool(name, read)),
      report,
    );
  const pools = {
    reads: poolOf('reads', settings),
    system: poolOf('system', { ...settings, poolSize: systemPoolSize }),
  };
  const both = coreOf(
    (method) => pools[coreCalls[method].pool][method] as CoreCall,
    async () => void (await Promise.all([pools.reads.close(), pools.system.close()])),
  );
  return refuseWhileSilent(both, { server, silentMs: settings.timeoutMs / 2, probeMs });
}

function createEngine(
  settings: PostgresSettings,
  server: string,
  failureOf: Engine['failureOf'],
  onPool: (read: Parameters<OnPool>[1]) => void,
): Engine {
  const connection = createCommitConnection(settings);
  const reads = createPool(settings);
  const { pool } = reads;
  onPool(() => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }));
  const db = kyselyOn(reads.pool);
  /** Behind a pooler, each transaction sets its own timeouts. */
  const bounded =
    <T>(work: (within: Kysely<Tables>) => Promise<T>) =>
    async (within: Kysely<Tables>): Promise<T> => {
      if (settings.session?.isPooled) {
        const { text, values = [] } = setSettings(bounds(settings), 'transaction');
        await within.executeQuery(CompiledQuery.raw(text, values));
      }
      return work(within);
    };
  return {
    dialect: 'postgres',
    db,
    ...createGroups(connection, server, settings),
    snapshot: (work) =>
      db
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute(bounded(work)),
    write: (work) => db.transaction().execute(bounded(work)),
    sql: {
      now: () => sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
      mark: sql<number>`pg_current_xact_id()::text::bigint`,
      seen: seenMarks,
    },
    failureOf,
    async close() {
      // A frozen server does not confirm the end of a connection.
      const late = setTimeout(() => {
        connection.discard();
        reads.cut();
      }, settings.timeoutMs);
      await Promise.all([connection.close(), db.destroy()]);
      clearTimeout(late);
    },
  };
}

const xmin = sql<number>`pg_snapshot_xmin(pg_current_snapshot())::text::bigint`;
const xmax = sql<number>`pg_snapshot_xmax(pg_current_snapshot())::text::bigint`;

// A mark is a transaction's id. On a standby, a snapshot does not list open transactions. There, all transactions from
// the oldest open one on count as unseen.
const seenMarks: Engine['sql']['seen'] = {
  next: sql<number>`case when pg_is_in_recovery() then ${xmin} else ${xmax} end`,
  open: sql<string>`(select coalesce(json_agg(x::text::bigint), '[]')::text
    from pg_snapshot_xip(pg_current_snapshot()) as s(x))`,
  end: xmax,
  lag: sql<number>`${xmax} - ${xmin}`,
};

function kyselyOn(pool: pg.Pool): Kysely<Tables> {
  return new Kysely({ dialect: new PostgresDialect({ pool }) });
}

function nameOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
