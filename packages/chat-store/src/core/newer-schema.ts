import { ChatStoreError } from '../errors.ts';
import { compatibleFromRow, schemaRelease } from './compatibility.ts';
import type { Engine } from './engine.ts';
import { whyNotServed } from './migrate.ts';
import { createMigrations } from './migrations.ts';

/**
 * The error `newer_schema` if this release can no longer serve the database, else null. Costs one look-up in `meta`,
 * which every release has.
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
 * Returns `newer_schema` if a newer schema caused the failure, else null. Call it only for a failure that looks like a
 * bug, because it costs a look-up.
 */
export async function newerSchemaBehind(
  engine: Pick<Engine, 'db' | 'dialect'>,
): Promise<ChatStoreError | null> {
  // If the look-up fails too, the caller's failure says more.
  return findNewerSchema(engine).catch(() => null);
}
