import { sql, type RawBuilder } from 'kysely';
import type { Engine } from './engine.ts';

const deadAfterMs = 5000;
const forgottenAfterMs = 3_600_000;

/** Says that a hub lives, in the database's time. */
export function beat(engine: Engine, hubId: string): Promise<void> {
  return engine.write(async (db) => {
    const now = engine.sql.now();
    await db
      .insertInto('hubs')
      .values({ id: hubId, beat_at: now })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ beat_at: now }))
      .execute();
    await db.deleteFrom('hubs').where('beat_at', '<', ago(now, forgottenAfterMs)).execute();
  });
}

/** Which of these hubs have beaten in the last 5 s. */
export async function readLiveHubs(
  engine: Engine,
  hubIds: readonly string[],
): Promise<Set<string>> {
  if (hubIds.length === 0) return new Set();
  const rows = await engine.db
    .selectFrom('hubs')
    .select('id')
    .where('id', 'in', [...hubIds])
    .where('beat_at', '>=', ago(engine.sql.now(), deadAfterMs))
    .execute();
  return new Set(rows.map((row) => row.id));
}

function ago(now: RawBuilder<number>, ms: number): RawBuilder<number> {
  return sql<number>`${now} - ${sql.lit(ms)}`;
}
