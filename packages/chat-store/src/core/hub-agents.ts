import { sql, type Kysely } from 'kysely';
import type { Engine } from './engine.ts';
import { deadAfterMs } from './hubs.ts';
import type { Tables } from './tables.ts';

export interface HubAgent {
  readonly agentId: string;
  readonly connections: number;
  /** The agent's activity and state as JSON, at most 4 KiB; null for none. */
  readonly report: string | null;
}

/** The rows of a hub without a beat for this long are removed. */
const forgottenAfterMs = 60_000;
const rowsMax = 2_000;
const reportCharsMax = 4_096;

/**
 * Replaces the hub's rows of these agents, or with `isAll` all its rows. A row without connections and report is
 * removed. Name each agent once, at most a few hundred in a call.
 */
export function recordHubAgents(
  engine: Engine,
  hubId: string,
  agents: readonly HubAgent[],
  isAll = false,
): Promise<void> {
  // All calls lock rows in the same order, so that they do not deadlock.
  const sorted = [...agents].sort((a, b) => (a.agentId < b.agentId ? -1 : 1));
  const isKept = ({ connections, report }: HubAgent) => connections > 0 || report !== null;
  const kept = sorted.filter(isKept);
  const gone = sorted.filter((agent) => !isKept(agent)).map(({ agentId }) => agentId);
  return engine.write(async (db) => {
    if (isAll) await db.deleteFrom('hub_agents').where('hub_id', '=', hubId).execute();
    else if (gone.length > 0)
      await db
        .deleteFrom('hub_agents')
        .where('agent_id', 'in', gone)
        .where('hub_id', '=', hubId)
        .execute();
    if (kept.length === 0) return;
    await db
      .insertInto('hub_agents')
      .values(
        kept.map(({ agentId, connections, report }) => ({
          agent_id: agentId,
          hub_id: hubId,
          connections,
          report: report !== null && report.length > reportCharsMax ? null : report,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['agent_id', 'hub_id']).doUpdateSet((eb) => ({
          connections: eb.ref('excluded.connections'),
          report: eb.ref('excluded.report'),
        })),
      )
      .execute();
  });
}

/** Removes rows of dead hubs, at most two thousand. */
export async function sweepHubAgents({ sql: { now } }: Engine, db: Kysely<Tables>): Promise<void> {
  const since = sql`${now()} - ${sql.lit(forgottenAfterMs)}`;
  await sql`delete from hub_agents where (agent_id, hub_id) in (
    select h.agent_id, h.hub_id from hub_agents h
    where not exists (select 1 from hubs b where b.id = h.hub_id and b.beat_at >= ${since})
    limit ${sql.lit(rowsMax)})`.execute(db);
}

/** Counts the agent's connections to all live hubs. `agentId` is a column, `now` the database's time. */
export function connectionsOf(agentId: string, now: ReturnType<typeof sql<number>>) {
  return sql<number>`(select cast(coalesce(sum(h.connections), 0) as bigint)
    from hub_agents h join hubs b on b.id = h.hub_id
    where h.agent_id = ${sql.ref(agentId)} and b.beat_at >= ${now} - ${sql.lit(deadAfterMs)})`;
}
