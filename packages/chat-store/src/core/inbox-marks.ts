import { sql } from 'kysely';
import type { Engine } from './engine.ts';
import { newestOf } from './inbox-places.ts';
import { everyone } from './tables.ts';

/**
 * A mark is made from this many of the agent's newest items. An older item that becomes visible late does not change
 * it.
 */
const ownItems = 16;
/**
 * If fewer new messages than this mention everyone, the mark covers all of them in the agent's channels. Otherwise it
 * covers only the newest such message of each channel.
 */
const itemsOfAll = 50;

export interface InboxMarks {
  /** One text per agent. It changes with each new item in the agent's inbox, and sometimes for another reason. */
  readonly marks: ReadonlyMap<string, string>;
  /** Pass it to the next call as `sinceOfAll`. */
  readonly newestOfAll: number;
}

/**
 * Reads a mark of each agent's inbox. A hub compares the marks of two reads to notice new items. Of the messages that
 * mention everyone, only those after `sinceOfAll` count. Costs one statement, with a few dozen look-ups for each agent.
 * If very many messages mention everyone, also costs one look-up for each channel of each agent.
 */
export async function readInboxMarks(
  { db }: Engine,
  agentIds: readonly string[],
  sinceOfAll: number,
): Promise<InboxMarks> {
  const ofAll = sql.lit(everyone);
  const newest = sql<number>`coalesce((select e.id from inbox e
    where ${newestOf('e', ofAll)} limit 1), 0)`;
  if (agentIds.length === 0) return { marks: new Map(), newestOfAll: 0 };
  const agents = sql.join(agentIds.map((agentId) => sql`(${agentId})`));
  const { rows } = await sql<{ agent_id: string; mark: string; newest: number }>`
    with agents(agent_id) as (values ${agents}),
    of_all as materialized (
      select e.id, e.channel_id from inbox e
      where e.id > cast(${sinceOfAll} as bigint) and ${newestOf('e', ofAll)}
      limit ${sql.lit(itemsOfAll)})
    select a.agent_id, ${newest} as newest,
      (select count(*) || ' ' || coalesce(sum(n.id), 0) from (
        select i.id from inbox i where ${newestOf('i', sql`a.agent_id`)}
        limit ${sql.lit(ownItems)}) as n)
      || ' ' || case when (select count(*) from of_all) < ${sql.lit(itemsOfAll)} then (
        select count(*) || ' ' || coalesce(sum(o.id), 0) from of_all o join members m
          on m.channel_id = o.channel_id and m.agent_id = a.agent_id)
      else (select 'newest ' || coalesce(sum((select n.id from inbox n
          where n.agent_id = ${ofAll} and n.channel_id = m.channel_id
          order by n.seq desc limit 1)), 0)
        from members m where m.agent_id = a.agent_id) end as mark
    from agents a`.execute(db);
  return {
    marks: new Map(rows.map(({ agent_id, mark }) => [agent_id, mark])),
    newestOfAll: rows[0]?.newest ?? 0,
  };
}
