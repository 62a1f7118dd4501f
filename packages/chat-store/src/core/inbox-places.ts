import { hash } from 'node:crypto';
import type { InboxPlace } from '@openclaw/protocol';
import { sql, type RawBuilder } from 'kysely';
import type { Dialect } from './engine.ts';
import { everyone } from './tables.ts';

/** Identifies the inbox of a cursor. A cursor with another scope covers nothing. */
export function inboxScope(
  epoch: string,
  agentId: string,
  channels: readonly string[] | null | undefined,
): string {
  const about = JSON.stringify([epoch, agentId, channels ? [...channels].sort() : null]);
  return hash('sha256', about, 'base64url').slice(0, 12);
}

// The id of the transaction that wrote a row. The row has only the low 32 bits of the id. A statement sees only ids
// below the end of its snapshot (`xmax`), so the id is the highest one below `xmax` with these bits.
const writtenBy = (
  row: string,
) => sql<number>`(pg_snapshot_xmax(pg_current_snapshot())::text::bigint
  - ((pg_snapshot_xmax(pg_current_snapshot())::text::bigint - ${sql.ref(row)}.xmin::text::bigint)
    & 4294967295))`;

/**
 * True if the read that returned `place` covers the row of `inbox`: the row's number is at most `place`, and the read
 * could see the row. Items are numbered before their commit. On PostgreSQL, an item can therefore become visible after
 * an item with a higher number.
 */
export function isCovered(
  row: string,
  { place, next, open }: Pick<InboxPlace, 'place' | 'next' | 'open'>,
  dialect: Dialect,
): RawBuilder<boolean> {
  // The `+ 0` keeps the planner from using the index of the numbers, which would walk the items of all channels.
  const isBefore = sql<boolean>`${sql.ref(`${row}.id`)} + 0 <= cast(${place} as bigint)`;
  // SQLite has one writer at a time, so items become visible in the order of their numbers.
  if (dialect === 'sqlite') return isBefore;
  const isOpen =
    open.length === 0
      ? sql``
      : sql`and ${writtenBy(row)} not in (${sql.join(open.map((id) => sql`cast(${id} as bigint)`))})`;
  return sql`(${isBefore} and ${writtenBy(row)} < cast(${next} as bigint) ${isOpen})`;
}

/**
 * True if row `a` of `inbox` is a message to everyone, and waits for the member `m`. The message does not wait if `m`
 * sent it, or if `m` has a separate item for it. The query must join `m` first, because other channels may have many
 * such messages.
 */
export const isItemOfMember = sql<boolean>`(a.agent_id = ${sql.lit(everyone)}
  and a.channel_id = m.channel_id and a.seq > m.joined_seq and a.seq > m.inbox_seq
  and not exists (select 1 from inbox o where o.channel_id = a.channel_id
    and o.message_seq = a.message_seq and o.agent_id = m.agent_id)
  and not exists (select 1 from messages s where s.channel_id = a.channel_id
    and s.seq = a.message_seq and s.sender_id = m.agent_id))`;

/** The end of a sub-select of items to remove. On PostgreSQL, it skips items that another transaction has locked. */
export const skipHeld = (dialect: Dialect) =>
  dialect === 'postgres' ? sql`for update skip locked` : sql``;

/** The greater of two columns, because two hubs may move a mark at once and a mark must never go back. */
export function greaterOf(dialect: Dialect, one: string, other: string): RawBuilder<number> {
  const greater = sql.raw(dialect === 'sqlite' ? 'max' : 'greatest');
  return sql<number>`${greater}(${sql.ref(one)}, ${sql.ref(other)})`;
}

/**
 * Condition and order of a query for an agent's items, newest first. The agent's id comes from another row. With a
 * plain equality, PostgreSQL may walk the items of all agents by number, which is slow for an agent with few items.
 */
export function newestOf(row: string, agentId: RawBuilder<unknown>): RawBuilder<unknown> {
  const [agent, id] = [sql.ref(`${row}.agent_id`), sql.ref(`${row}.id`)];
  return sql`${agent} between ${agentId} and ${agentId} order by ${agent} desc, ${id} desc`;
}
