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
    if (!changed) return readEpoch({ ...engine, db });
    // A backup brings marks of another server's count: those ahead of this one's would be reported as changed forever.
    for (const table of ['channels', 'revoked_tokens'] as const) {
      await db
        .updateTable(table)
        .set({ touched: 0 })
        .where('touched', '>', engine.sql.mark)
        .execute();
    }
    return changed.value;
  });
}
