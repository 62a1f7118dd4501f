import { sql, type Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { ChatStoreError } from '../errors.ts';
import { compatibleFromRow, isOlder, schemaRelease, type StoreMigration } from './compatibility.ts';
import type { Dialect } from './engine.ts';
import { createMigrations } from './migrations.ts';

const migrationTableName = 'chat_store_migrations';

export interface PlannedMigration {
  readonly name: string;
  readonly release: string;
  readonly compatibleFrom: string;
}

export interface SchemaState {
  readonly release: string;
  readonly applied: readonly string[];
  /** Migrations that {@link migrate} would apply, in its order. */
  readonly pending: readonly PlannedMigration[];
  /** Applied migrations of a later release. */
  readonly unknown: readonly string[];
  /** The oldest release that can serve the database; null if the newest migration did not record one. */
  readonly compatibleFrom: string | null;
}

export async function readSchema<T>(
  db: Kysely<T>,
  dialect: Dialect,
  migrations: Readonly<Record<string, StoreMigration>> = createMigrations(dialect),
): Promise<SchemaState> {
  const table = sql.lit(migrationTableName);
  const { rows: tables } = await (
    dialect === 'sqlite'
      ? sql<{ found: string | null }>`
          select name as found from sqlite_schema where type = 'table' and name = ${table}`
      : sql<{ found: string | null }>`select to_regclass(${table})::text as found`
  ).execute(db);
  const isMigrated = (tables[0]?.found ?? null) !== null;
  const applied = isMigrated
    ? await sql<{ name: string }>`select name from ${sql.table(migrationTableName)} order by name`
        .execute(db)
        .then(({ rows }) => rows.map(({ name }) => name))
    : [];
  const [compatibleFrom = '', recordedBy] =
    applied.length > 0
      ? await sql<{ value: string }>`select value from meta where name = ${compatibleFromRow}`
          .execute(db)
          .then(({ rows }) => rows[0]?.value.split(' ') ?? [])
      : [];
  return {
    release: schemaRelease(migrations),
    applied,
    pending: Object.entries(migrations)
      .filter(([name]) => !applied.includes(name))
      .map(([name, { release, compatibleFrom }]) => ({ name, release, compatibleFrom })),
    unknown: applied.filter((name) => migrations[name] === undefined),
    compatibleFrom:
      recordedBy !== undefined && recordedBy === applied.at(-1) ? compatibleFrom : null,
  };
}

/**
 * Says in one sentence why this release cannot serve the database. Returns null if it can do so after its pending
 * migrations.
 */
export function whyNotServed(state: SchemaState): string | null {
  const { release, unknown, pending, compatibleFrom } = state;
  const newest = unknown.at(-1);
  if (newest === undefined) return null;
  const isServed =
    pending.length === 0 && compatibleFrom !== null && !isOlder(release, compatibleFrom);
  if (isServed) return null;
  const needed = compatibleFrom === null ? 'a newer release' : `release ${compatibleFrom} or newer`;
  return `the database was migrated by a newer release (${newest}) and needs hubs of ${needed}: this hub, of release ${release}, must not write to it`;
}

/**
 * Migrates under a lock, so if two hubs start at once, only one migrates. Changes nothing if a newer release recorded
 * that this release can serve the database.
 * @throws {ChatStoreError} `newer_schema`, or any error of the engine
 */
export async function migrate<T>(db: Kysely<T>, dialect: Dialect): Promise<void> {
  const migrations = createMigrations(dialect);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    migrationTableName,
    migrationLockTableName: `${migrationTableName}_lock`,
  });
  for (let attempt = 1; ; attempt++) {
    const state = await readSchema(db, dialect, migrations);
    const reason = whyNotServed(state);
    if (reason !== null) throw new ChatStoreError('newer_schema', reason);
    if (state.unknown.length > 0) return;
    // Takes the lock even if nothing is pending, so that a locked database is reported now.
    const { error } = await migrator.migrateToLatest();
    if (error === undefined) return;
    // A newer release has migrated the database since it was read.
    const isNewer = (error as Error).message.startsWith('corrupted migrations');
    if (!isNewer || attempt > 1) throw error as Error;
  }
}
