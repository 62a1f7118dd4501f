import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { ChatStoreError } from '../errors.ts';
import { createMigrations, type Dialect } from './migrations.ts';

/**
 * Brings the database to this release's schema, under a lock: if two hubs start at once, one migrates and the other
 * finds it done.
 * @throws {ChatStoreError} `newer_schema`, or any error of the engine
 */
export async function migrate<T>(db: Kysely<T>, dialect: Dialect): Promise<void> {
  const migrations = createMigrations(dialect);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    migrationTableName: 'chat_store_migrations',
    migrationLockTableName: 'chat_store_migrations_lock',
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  if ((error as Error).message.startsWith('corrupted migrations')) {
    throw new ChatStoreError(
      'newer_schema',
      'the database was migrated by a newer release: this one must not write to it',
      { cause: error },
    );
  }
  throw error as Error;
}
