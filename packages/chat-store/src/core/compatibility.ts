import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export interface StoreMigration extends Migration {
  readonly release: string;
  /**
   * The oldest release whose hubs can serve a database with this migration. A migration that only adds nullable
   * columns, tables or indexes may name the release before its own. Every other migration names its own release.
   */
  readonly compatibleFrom: string;
}

/**
 * This row of `meta` names the oldest release that can serve the database, and the newest migration. If the database
 * has a newer migration than the row names, the row is invalid.
 */
export const compatibleFromRow = 'compatible_from';

/**
 * Makes each migration record the oldest release that can serve the database. Earlier releases need the record, because
 * they do not know the migration.
 */
export function recordCompatibility(
  migrations: Readonly<Record<string, StoreMigration>>,
): Record<string, StoreMigration> {
  let oldest = '0.0.0';
  const recorded: Record<string, StoreMigration> = {};
  for (const [name, migration] of Object.entries(migrations)) {
    if (isOlder(oldest, migration.compatibleFrom)) oldest = migration.compatibleFrom;
    const value = `${oldest} ${name}`;
    recorded[name] = {
      ...migration,
      async up(db) {
        await migration.up(db);
        await sql`insert into meta (name, value) values (${compatibleFromRow}, ${value})
          on conflict (name) do update set value = excluded.value`.execute(db);
      },
    };
  }
  return recorded;
}

export function schemaRelease(migrations: Readonly<Record<string, StoreMigration>>): string {
  return Object.values(migrations).at(-1)?.release ?? '0.0.0';
}

/** True if the first release is older. Releases have the form `1.2.3`. */
export function isOlder(one: string, other: string): boolean {
  const [a, b] = [one, other].map((release) => release.split('.').map(Number));
  const at = [0, 1, 2].find((part) => a?.[part] !== b?.[part]);
  return at !== undefined && (a?.[at] ?? 0) < (b?.[at] ?? 0);
}
