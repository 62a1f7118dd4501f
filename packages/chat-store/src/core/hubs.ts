import { sql, type RawBuilder } from 'kysely';
import type { Engine } from './engine.ts';

const deadAfterMs = 5000;
const forgottenAfterMs = 3_600_000;
const shownMs = 60_000;
const maxShown = 100;

/** A hub and the age of its last beat. */
export interface HubBeat {
  readonly hubId: string;
  readonly lastBeatAgoMs: number;
}

export function beat(engine: Engine, hubId: string, isCutOff = false): Promise<void> {
  return engine.write(async (db) => {
    const now = engine.sql.now();
    const reported = { beat_at: now, cut_off: isCutOff ? 1 : 0 };
    await db
      .insertInto('hubs')
      .values({ id: hubId, ...reported })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(reported))
      .execute();
    await db.deleteFrom('hubs').where('beat_at', '<', ago(now, forgottenAfterMs)).execute();
  });
}

export async function readRedislessHubs(
  engine: Engine,
  hubIds: readonly string[],
): Promise<Set<string>> {
  if (hubIds.length === 0) return new Set();
  const rows = await engine.db
    .selectFrom('hubs')
    .select('id')
    .where('id', 'in', [...hubIds])
    .where('cut_off', '=', 1)
    .where('beat_at', '>=', ago(engine.sql.now(), deadAfterMs))
    .execute();
  return new Set(rows.map((row) => row.id));
}

/** Ages are in the database's time. */
export async function readHubs(engine: Engine): Promise<HubBeat[]> {
  const now = engine.sql.now();
  const rows = await engine.db
    .selectFrom('hubs')
    .select(['id', sql<number>`${now} - beat_at`.as('ago')])
    .where('beat_at', '>=', ago(now, shownMs))
    .orderBy('beat_at', 'desc')
    .limit(maxShown)
    .execute();
  return rows.map((row) => ({ hubId: row.id, lastBeatAgoMs: Math.max(0, Number(row.ago)) }));
}

function ago(now: RawBuilder<number>, ms: number): RawBuilder<number> {
  return sql<number>`${now} - ${sql.lit(ms)}`;
}
