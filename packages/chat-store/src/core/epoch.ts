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
 * Changes the epoch only if it is still `expected`: several hubs may notice a restore, but only one may change the
 * epoch. Returns the current epoch.
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
