import { limits } from '@openclaw/protocol/wire';
import { sql, type Kysely } from 'kysely';
import type { Dialect, Engine } from './engine.ts';
import { greaterOf, isItemOfMember, skipHeld } from './inbox-places.ts';
import { everyone, type Tables } from './tables.ts';

// An inbox may exceed its limit until the sweep reaches it. For a reader, the excess has already fallen out.
//
// Acknowledgements and sweeps lock a member first, then its count in `inbox_overflow`, then its items. The sweep skips
// members and items that an acknowledgement has locked. If the sweep waited for them, it could deadlock, because the
// next acknowledgement of the same group may wait for rows that the sweep has locked.

const agentsMax = 100;
/** One statement counts the items of this many inboxes. */
const agentsAtOnce = 5;
/** A piece that has counted this many items counts no further inbox, so that no send waits long. */
const countedMax = 20_000;
const rowsMax = 500;
/** One piece looks at the messages to everyone in at most this many channels. */
const channelsMax = 20;
/** A channel with at most this many messages to everyone is skipped. */
const keptOfAll = 1_000;
/** In one piece, at most this many messages to everyone fall out of inboxes. */
const fallingMax = 100;
/** In one piece, messages to everyone fall out of the inboxes of at most this many members. */
const membersMax = 50;
const passEveryMs = 60_000;

/**
 * Looks at the next inboxes until one is over its limit. Removes some of the oldest items of this inbox, and counts
 * them as fallen out. Returns whether there is more to do now.
 */
export function sweepInboxes(engine: Engine, everyMs = passEveryMs): Promise<boolean> {
  return continuePass(engine, 'inbox', everyMs, async (db, after) => {
    const agentIds = await nextAgents(db, after);
    let last = after;
    let counted = 0;
    for (let at = 0; at < agentIds.length && counted < countedMax; at += agentsAtOnce) {
      for (const { agent_id, items } of await countItems(
        db,
        agentIds.slice(at, at + agentsAtOnce),
      )) {
        if (items > limits.inboxItems) {
          await trimInbox(engine.dialect, db, agent_id);
          return last;
        }
        last = agent_id;
        counted += items;
      }
    }
    const isAll = last === (agentIds.at(-1) ?? after);
    return isAll && agentIds.length < agentsMax ? null : last;
  });
}

/**
 * Removes some messages to everyone that no inbox needs any more. If a channel has more messages to everyone than an
 * inbox may hold, the oldest ones are first dropped from the inboxes of its members. Returns whether there is more to
 * do now.
 */
export function sweepInboxesOfAll(engine: Engine, everyMs = passEveryMs): Promise<boolean> {
  return continuePass(engine, 'inbox_of_all', everyMs, async (db, after) => {
    let last = after;
    for (let count = 0; count < channelsMax; count += 1) {
      const channelId = await nextChannel(db, last);
      if (channelId === null) return null;
      if (await trimChannel(engine.dialect, db, channelId)) return last;
      last = channelId;
    }
    return last;
  });
}

/**
 * Does one piece of a pass. All hubs share the pass, and only one hub at a time works on it. `work` gets the id up to
 * which the pass is done. `work` returns the next such id, or null at the end of the pass. Resolves with true if there
 * is more to do now.
 */
function continuePass(
  engine: Engine,
  name: string,
  everyMs: number,
  work: (db: Kysely<Tables>, after: string) => Promise<string | null>,
): Promise<boolean> {
  return engine.write(async (db) => {
    let query = db
      .selectFrom('sweeps')
      .select(['after_id', 'due_at', engine.sql.now().as('now')])
      .where('name', '=', name);
    if (engine.dialect === 'postgres') query = query.forUpdate().skipLocked();
    const sweep = await query.executeTakeFirst();
    if (!sweep || sweep.due_at > sweep.now) return false;
    const next = await work(db, sweep.after_id);
    await db
      .updateTable('sweeps')
      .set(
        next === null
          ? { after_id: '', due_at: sweep.now + everyMs }
          : { after_id: next, due_at: 0 },
      )
      .where('name', '=', name)
      .execute();
    return next !== null;
  });
}

/** Agents that have items, by id. Each step of the recursion finds the next agent by one look-up. */
async function nextAgents(db: Kysely<Tables>, after: string): Promise<string[]> {
  const { rows } = await sql<{ agent_id: string }>`
    with recursive agents_with_items(agent_id) as (
      select * from (
        select agent_id from inbox where agent_id > ${after} order by agent_id limit 1) as first
      union all
      select (select i.agent_id from inbox i where i.agent_id > a.agent_id
        order by i.agent_id limit 1)
      from agents_with_items a where a.agent_id is not null)
    select a.agent_id from agents_with_items a
    where a.agent_id is not null limit ${sql.lit(agentsMax)}`.execute(db);
  return rows.map(({ agent_id }) => agent_id);
}

/**
 * Counts each agent's items, but at most one more than the limit. Messages to everyone are not counted. `between` with
 * equal ends makes PostgreSQL walk the index, see {@link newestOf}.
 */
async function countItems(
  db: Kysely<Tables>,
  agentIds: readonly string[],
): Promise<readonly { readonly agent_id: string; readonly items: number }[]> {
  const agents = sql.join(agentIds.map((agentId) => sql`(${agentId})`));
  const { rows } = await sql<{ agent_id: string; items: number }>`
    with agents(agent_id) as (values ${agents})
    select a.agent_id, case when a.agent_id = ${sql.lit(everyone)} then 0 else (
      select count(*) from (select 1 from inbox i
        where i.agent_id between a.agent_id and a.agent_id
        limit ${sql.lit(limits.inboxItems + 1)}) as counted) end as items
    from agents a order by a.agent_id`.execute(db);
  return rows;
}

async function trimInbox(dialect: Dialect, db: Kysely<Tables>, agentId: string): Promise<void> {
  if (dialect === 'postgres') {
    await sql`select 1 from inbox_overflow where agent_id = ${agentId} for update`.execute(db);
  }
  const removed = await sql<{ id: number; channel_id: string }>`
    delete from inbox where id in (
      select id from inbox where agent_id = ${agentId} and id <= (
        select id from inbox where agent_id = ${agentId}
        order by id desc limit 1 offset ${sql.lit(limits.inboxItems)})
      order by id limit ${sql.lit(rowsMax)} ${skipHeld(dialect)})
    returning id, channel_id`.execute(db);
  const fallen = new Map<string, { items: number; last_id: number }>();
  for (const { id, channel_id } of removed.rows) {
    const { items, last_id } = fallen.get(channel_id) ?? { items: 0, last_id: 0 };
    fallen.set(channel_id, { items: items + 1, last_id: Math.max(last_id, id) });
  }
  const rows = [...fallen].map(([channel_id, of]) => ({ agent_id: agentId, channel_id, ...of }));
  await countFallen(dialect, db, rows);
}

async function countFallen(
  dialect: Dialect,
  db: Kysely<Tables>,
  rows: readonly Tables['inbox_overflow'][],
): Promise<void> {
  if (rows.length === 0) return;
  const last = greaterOf(dialect, 'inbox_overflow.last_id', 'excluded.last_id');
  await db
    .insertInto('inbox_overflow')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['agent_id', 'channel_id']).doUpdateSet({
        items: sql`inbox_overflow.items + excluded.items`,
        last_id: last,
      }),
    )
    .execute();
}

const ofAll = (channelId: string) =>
  sql`agent_id = ${sql.lit(everyone)} and channel_id = ${channelId}`;

async function nextChannel(db: Kysely<Tables>, after: string): Promise<string | null> {
  const { rows } = await sql<{ channel_id: string }>`
    select channel_id from inbox where agent_id = ${sql.lit(everyone)} and channel_id > ${after}
    order by channel_id limit 1`.execute(db);
  return rows[0]?.channel_id ?? null;
}

async function trimChannel(
  dialect: Dialect,
  db: Kysely<Tables>,
  channelId: string,
): Promise<boolean> {
  const seqAt = async (order: 'asc' | 'desc', offset: number) => {
    const { rows } = await sql<{ seq: number }>`select seq from inbox where ${ofAll(channelId)}
      order by seq ${sql.raw(order)} limit 1 offset ${sql.lit(offset)}`.execute(db);
    return rows[0]?.seq ?? null;
  };
  if ((await seqAt('desc', keptOfAll)) === null) return false;
  const beyond = await seqAt('desc', limits.inboxItems);
  if (beyond !== null) {
    const upTo = Math.min(beyond, (await seqAt('asc', fallingMax - 1)) ?? beyond);
    if (await dropFromInboxes(dialect, db, channelId, upTo)) return true;
  }
  // A member that joins meanwhile needs none of the removed messages, so no lock is needed.
  const needed = greaterOf(dialect, 'm.joined_seq', 'm.inbox_seq');
  const { numAffectedRows = 0n } = await sql`
    delete from inbox where id in (
      select id from inbox where ${ofAll(channelId)} and seq <= coalesce((
        select min(${needed}) from members m where m.channel_id = ${channelId}),
        ${sql.lit(Number.MAX_SAFE_INTEGER)})
      order by seq limit ${sql.lit(rowsMax)})`.execute(db);
  return numAffectedRows === BigInt(rowsMax) || (beyond !== null && numAffectedRows > 0n);
}

/**
 * Drops the channel's messages to everyone up to the seq `upTo` from the inboxes of at most `membersMax` members, and
 * counts them there as fallen out. Returns false when it finds no more members whose inboxes may have such messages.
 * Skips members whose acknowledgement is not committed yet.
 */
async function dropFromInboxes(
  dialect: Dialect,
  db: Kysely<Tables>,
  channelId: string,
  upTo: number,
): Promise<boolean> {
  let query = db
    .selectFrom('members')
    .select('agent_id')
    .where('channel_id', '=', channelId)
    .where('joined_seq', '<', upTo)
    .where('inbox_seq', '<', upTo)
    .orderBy('agent_id')
    .limit(membersMax);
  if (dialect === 'postgres') query = query.forUpdate().skipLocked();
  const agentIds = (await query.execute()).map(({ agent_id }) => agent_id);
  if (agentIds.length === 0) return false;
  const { rows } = await sql<Tables['inbox_overflow']>`
    select m.agent_id, m.channel_id, count(*) as items, max(a.id) as last_id
    from members m cross join inbox a
    where m.channel_id = ${channelId} and m.agent_id in (${sql.join(agentIds)})
      and ${isItemOfMember} and a.seq <= ${upTo}
    group by m.agent_id, m.channel_id`.execute(db);
  await countFallen(dialect, db, rows);
  await db
    .updateTable('members')
    .set({ inbox_seq: upTo })
    .where('channel_id', '=', channelId)
    .where('agent_id', 'in', agentIds)
    .execute();
  return true;
}
