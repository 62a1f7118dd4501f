import { limits } from '@openclaw/protocol/wire';
import { sql, type Kysely } from 'kysely';
import type { Engine } from './engine.ts';
import { everyone, type Tables } from './tables.ts';

// An inbox may exceed its limit until the sweep reaches it. Readers count the excess as fallen out at once.

/** The most inboxes that one piece looks at. Each costs at most an index walk over a full inbox. */
const agentsMax = 100;
/** The most items that one piece removes, so that no send waits long. */
const rowsMax = 500;
/** The default pause between two passes over all inboxes. */
const passEveryMs = 60_000;

/**
 * Removes and counts some of the oldest items of one inbox over its limit, or finds that the next inboxes are not
 * over it. All hubs share one pass, and work on it one at a time. Returns whether there is more to do now.
 */
export function sweepInboxes(engine: Engine, everyMs = passEveryMs): Promise<boolean> {
  return engine.write(async (db) => {
    let query = db
      .selectFrom('sweeps')
      .select(['after_id', 'due_at', engine.sql.now().as('now')])
      .where('name', '=', 'inbox');
    if (engine.dialect === 'postgres') query = query.forUpdate().skipLocked();
    const sweep = await query.executeTakeFirst();
    if (!sweep || sweep.due_at > sweep.now) return false;
    const inboxes = await nextInboxes(db, sweep.after_id);
    const full = inboxes.findIndex(({ beyond }) => beyond !== null);
    if (full >= 0) await trimInbox(db, inboxes[full]!);
    const last = full < 0 ? inboxes.at(-1) : inboxes[full - 1];
    const isMore = full >= 0 || inboxes.length === agentsMax;
    await db
      .updateTable('sweeps')
      .set(
        isMore
          ? { after_id: last?.agent_id ?? sweep.after_id, due_at: 0 }
          : { after_id: '', due_at: sweep.now + everyMs },
      )
      .where('name', '=', 'inbox')
      .execute();
    return isMore;
  });
}

interface Inbox {
  readonly agent_id: string;
  /** The newest item beyond the limit; null when there is none. */
  readonly beyond: number | null;
}

/** Agents that have items, by id. Each step of the recursion finds the next agent by one look-up. */
async function nextInboxes(db: Kysely<Tables>, after: string): Promise<Inbox[]> {
  const { rows } = await sql<Inbox>`
    with recursive agents_with_items(agent_id) as (
      select * from (
        select agent_id from inbox where agent_id > ${after} order by agent_id limit 1) as first
      union all
      select (select i.agent_id from inbox i where i.agent_id > a.agent_id
        order by i.agent_id limit 1)
      from agents_with_items a where a.agent_id is not null)
    select a.agent_id, case when a.agent_id <> ${sql.lit(everyone)} then (
      select i.id from inbox i where i.agent_id = a.agent_id
      order by i.id desc limit 1 offset ${sql.lit(limits.inboxItems)}) end as beyond
    from agents_with_items a where a.agent_id is not null limit ${sql.lit(agentsMax)}`.execute(db);
  return rows;
}

async function trimInbox(db: Kysely<Tables>, { agent_id, beyond }: Inbox): Promise<void> {
  const removed = await sql<{ id: number; channel_id: string }>`
    delete from inbox where id in (
      select id from inbox where agent_id = ${agent_id} and id <= ${beyond}
      order by id limit ${sql.lit(rowsMax)})
    returning id, channel_id`.execute(db);
  const fallen = new Map<string, { items: number; last_id: number }>();
  for (const { id, channel_id } of removed.rows) {
    const { items, last_id } = fallen.get(channel_id) ?? { items: 0, last_id: 0 };
    fallen.set(channel_id, { items: items + 1, last_id: Math.max(last_id, id) });
  }
  for (const [channel_id, { items, last_id }] of fallen) {
    await db
      .insertInto('inbox_overflow')
      .values({ agent_id, channel_id, items, last_id })
      .onConflict((conflict) =>
        conflict.columns(['agent_id', 'channel_id']).doUpdateSet((eb) => ({
          items: eb('inbox_overflow.items', '+', items),
          last_id,
        })),
      )
      .execute();
  }
}
