import { sql } from 'kysely';
import type { Engine } from './engine.ts';
import { sweepHubAgents } from './hub-agents.ts';

export interface OperationsMinute {
  readonly hubId: string;
  readonly atMs: number;
  /** A JSON object of at most 2 KiB. */
  readonly figures: string;
}

const keptMs = 86_400_000;
/** A minute that is further in the future comes from a hub with a wrong clock. */
const futureMs = 3_600_000;
const rowsMax = 2_000;
const figuresCharsMax = 2_048;

/**
 * `minutes` may have each minute of a hub only once. Ignores figures over 2 KiB. Also removes dead hubs' reports about
 * agents, and up to 2,000 minutes that are older than 24 hours or too far in the future.
 */
export function recordMinutes(engine: Engine, minutes: readonly OperationsMinute[]): Promise<void> {
  const fitting = minutes.filter(({ figures }) => figures.length <= figuresCharsMax);
  return engine.write(async (db) => {
    if (fitting.length > 0)
      await db
        .insertInto('operations_minutes')
        .values(fitting.map(({ hubId, atMs, figures }) => ({ at: atMs, hub_id: hubId, figures })))
        .onConflict((conflict) =>
          conflict
            .columns(['at', 'hub_id'])
            .doUpdateSet((eb) => ({ figures: eb.ref('excluded.figures') })),
        )
        .execute();
    const now = engine.sql.now();
    await sql`delete from operations_minutes where (at, hub_id) in (
      select at, hub_id from operations_minutes
      where at < ${now} - ${sql.lit(keptMs)} or at > ${now} + ${sql.lit(futureMs)}
      limit ${sql.lit(rowsMax)})`.execute(db);
    await sweepHubAgents(engine, db);
  });
}

/**
 * Resolves with minutes of all hubs, at most 24 hours back, oldest first. A page has at most `limit` rows, and a minute
 * is never split between pages. If the first minute alone has more rows, the page has `limit` + 1 rows of it, and its
 * other rows are left out. Pass `nextMs` as `sinceMs` for the next page. On the last page, `nextMs` is null.
 */
export async function readMinutes(
  engine: Engine,
  sinceMs: number,
  limit: number,
): Promise<{ readonly minutes: readonly OperationsMinute[]; readonly nextMs: number | null }> {
  const now = engine.sql.now();
  const { rows } = await sql<{ at: number; hub_id: string; figures: string }>`
    select at, hub_id, figures from operations_minutes
    where at >= cast(${sinceMs} as bigint) and at >= ${now} - ${sql.lit(keptMs)}
    order by at, hub_id limit ${limit + 1}`.execute(engine.db);
  const isMore = rows.length > limit;
  const last = rows.at(-1)?.at ?? null;
  const whole = isMore && rows[0]?.at !== last ? rows.filter(({ at }) => at !== last) : rows;
  return {
    minutes: whole.map(({ at, hub_id, figures }) => ({ hubId: hub_id, atMs: at, figures })),
    nextMs: isMore ? (whole === rows ? (last ?? 0) + 1 : last) : null,
  };
}
