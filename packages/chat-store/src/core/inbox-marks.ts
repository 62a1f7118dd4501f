import { sql } from 'kysely';
import type { Engine } from './engine.ts';
import { everyone } from './tables.ts';

/**
 * The newest items that a mark covers. An item that becomes visible behind this many newer ones does not change the
 * mark.
 */
const ownItems = 16;
const itemsOfAll = 20;

export interface InboxMarks {
  /** A text for each agent. It changes with each new item in the agent's inbox, and sometimes without one. */
  readonly marks: ReadonlyMap<string, string>;
  /** The `sinceOfAll` of the call after the next one. */
  readonly newestOfAll: number;
}

/**
 * Marks of these agents' inboxes; a hub compares them to notice new items. Messages that mention everyone count if
 * their place is after `sinceOfAll`. Costs one statement, with a few dozen look-ups for each agent.
 */
export async function readInboxMarks(
  { db }: Engine,
  agentIds: readonly string[],
  sinceOfAll: number,
): Promise<InboxMarks> {
  const newest = sql<number>`coalesce((select max(id) from inbox
    where agent_id = ${sql.lit(everyone)}), 0)`;
  if (agentIds.length === 0) return { marks: new Map(), newestOfAll: 0 };
  const agents = sql.join(agentIds.map((agentId) => sql`(${agentId})`));
  const { rows } = await sql<{ agent_id: string; mark: string; newest: number }>`
    with agents(agent_id) as (values ${agents}),
    of_all as materialized (
      select id, channel_id from inbox
      where agent_id = ${sql.lit(everyone)} and id > cast(${sinceOfAll} as bigint)
      order by id desc limit ${sql.lit(itemsOfAll)})
    select a.agent_id, ${newest} as newest,
      (select count(*) || ' ' || coalesce(sum(n.id), 0) from (
        select i.id from inbox i where i.agent_id = a.agent_id
        order by i.id desc limit ${sql.lit(ownItems)}) as n)
      || ' ' || (select coalesce(sum(o.id), 0) from of_all o join members m
        on m.channel_id = o.channel_id and m.agent_id = a.agent_id) as mark
    from agents a`.execute(db);
  return {
    marks: new Map(rows.map(({ agent_id, mark }) => [agent_id, mark])),
    newestOfAll: rows[0]?.newest ?? 0,
  };
}
