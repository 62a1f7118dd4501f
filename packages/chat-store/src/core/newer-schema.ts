import { ChatStoreError } from '../errors.ts';
import { compatibleFromRow, schemaRelease } from './compatibility.ts';
import type { Engine } from './engine.ts';
import { whyNotServed } from './migrate.ts';
import { createMigrations } from './migrations.ts';

/**
 * Resolves with the error `newer_schema` if a newer release has migrated the database so that this release can no longer
 * serve it; null if it can. It costs one look-up in `meta`, the table that every release has.
 */
export async function findNewerSchema({
  db,
  dialect,
}: Pick<Engine, 'db' | 'dialect'>): Promise<ChatStoreError | null> {
  const row = await db
    .selectFrom('meta')
    .select('value')
    .where('name', '=', compatibleFromRow)
    .executeTakeFirst();
  const [compatibleFrom = null, newest] = row?.value.split(' ') ?? [];
  const migrations = createMigrations(dialect);
  if (newest === undefined || migrations[newest] !== undefined) return null;
  const reason = whyNotServed({
    release: schemaRelease(migrations),
    applied: [newest],
    pending: [],
    unknown: [newest],
    compatibleFrom,
  });
  return reason === null ? null : new ChatStoreError('newer_schema', reason);
}

/**
 * Checks whether a newer schema caused a failed statement: returns the error `newer_schema`, or null. Call it only
 * for failures that look like bugs, because it costs a look-up.
 */
export async function newerSchemaBehind(
  engine: Pick<Engine, 'db' | 'dialect'>,
): Promise<ChatStoreError | null> {
  // If the look-up fails too, the failure that the caller already has says more.
  return findNewerSchema(engine).catch(() => null);
}
