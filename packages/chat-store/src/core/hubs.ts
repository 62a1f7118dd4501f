import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { Dialect, Engine } from './engine.ts';
import { findNewerSchema } from './newer-schema.ts';
import type { Tables } from './tables.ts';

export const deadAfterMs = 5000;
const forgottenAfterMs = 3_600_000;
const shownMs = 60_000;
const maxShown = 100;

export interface HubBeat {
  readonly hubId: string;
  readonly lastBeatAgoMs: number;
  /** The JSON object that the hub's last beat reported; null for none. */
  readonly figures: string | null;
}

export function beat(
  engine: Engine,
  hubId: string,
  isCutOff = false,
  figures: string | null = null,
): Promise<void> {
  return engine.write(async (db) => {
    const newer = await findNewerSchema({ ...engine, db });
    if (newer !== null) throw newer;
    const now = engine.sql.now();
    const reported = { beat_at: now, cut_off: isCutOff ? 1 : 0, figures };
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

export async function readHubs(engine: Engine): Promise<HubBeat[]> {
  const now = engine.sql.now();
  const rows = await engine.db
    .selectFrom('hubs')
    .select(['id', 'figures', sql<number>`${now} - beat_at`.as('ago')])
    .where('beat_at', '>=', ago(now, shownMs))
    .orderBy('beat_at', 'desc')
    .limit(maxShown)
    .execute();
  return rows.map(({ id, ago: agoMs, figures }) => ({
    ...{ hubId: id, lastBeatAgoMs: Math.max(0, Number(agoMs)), figures },
  }));
}

export interface HubActivity {
  /** Connections to PostgreSQL. A running hub always has one, but a pooler may hide it. */
  readonly connections: number;
  /** Null without a beat. A running hub beats every 2 s. */
  readonly lastBeatAgoMs: number | null;
}

export async function readHubActivity(db: Kysely<Tables>, dialect: Dialect): Promise<HubActivity> {
  const read = async (query: RawBuilder<{ value: number | null }>) =>
    (await query.execute(db)).rows[0]?.value ?? null;
  const isSqlite = dialect === 'sqlite';
  const connections = isSqlite
    ? 0
    : await read(sql`select count(*) as value from pg_stat_activity
        where application_name = 'openclaw-chat-store' and datname = current_database()`);
  const tables = await read(
    isSqlite
      ? sql`select count(*) as value from sqlite_schema where type = 'table' and name = 'hubs'`
      : sql`select count(to_regclass('hubs')) as value`,
  );
  const now = isSqlite
    ? sql`${Date.now()}`
    : sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
  const lastBeatAgoMs =
    tables === 0 ? null : await read(sql`select ${now} - max(beat_at) as value from hubs`);
  return { connections: Number(connections), lastBeatAgoMs };
}

function ago(now: RawBuilder<number>, ms: number): RawBuilder<number> {
  return sql<number>`${now} - ${sql.lit(ms)}`;
}
