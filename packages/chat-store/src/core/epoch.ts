import { randomUUID } from 'node:crypto';
import type { Engine } from './engine.ts';

/** The name of the database's life. */
export async function readEpoch(engine: Engine): Promise<string> {
  const { value } = await engine.db
    .selectFrom('meta')
    .select('value')
    .where('name', '=', 'epoch')
    .executeTakeFirstOrThrow();
  return value;
}

/**
 * Begins a new epoch if `expected` is still the current one, and answers the current one. Of several hubs that notice a
 * restored backup, one changes it.
 */
export function changeEpoch(engine: Engine, expected: string): Promise<string> {
  return engine.write(async (db) => {
    const changed = await db
      .updateTable('meta')
      .set({ value: randomUUID() })
      .where('name', '=', 'epoch')
      .where('value', '=', expected)
      .returning('value')
      .executeTakeFirst();
    return changed ? changed.value : readEpoch({ ...engine, db });
  });
}
