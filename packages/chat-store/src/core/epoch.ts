import { randomUUID } from 'node:crypto';
import type { Engine } from './engine.ts';

export async function readEpoch(engine: Engine): Promise<string> {
  const { value } = await engine.db
    .selectFrom('meta')
    .select('value')
    .where('name', '=', 'epoch')
    .executeTakeFirstOrThrow();
  return value;
}

/**
 * Changes the epoch if `expected` is still the current one, and returns the current one. When several hubs notice a
 * restored backup, only one of them changes it.
 */
export function changeEpoch(engine: Engine, expected: string): Promise<string> {
  return engine.write(async (db) => {
    const changed = await db
      .updateTable('meta')
      .set({ value: randomUUID() })
      .where((eb) => eb.and({ name: 'epoch', value: expected }))
      .returning('value')
      .executeTakeFirst();
    return changed ? changed.value : readEpoch({ ...engine, db });
  });
}
