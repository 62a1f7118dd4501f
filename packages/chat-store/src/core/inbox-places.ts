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

// The id of the transaction that wrote a row; the row has only the low 32 bits of it. A statement sees only rows from
// before the end of its snapshot, so the high bits are those of this end, or one less.
const writtenBy = (
  row: string,
) => sql<number>`(pg_snapshot_xmax(pg_current_snapshot())::text::bigint
  - ((pg_snapshot_xmax(pg_current_snapshot())::text::bigint - ${sql.ref(row)}.xmin::text::bigint)
    & 4294967295))`;

/**
 * True for a row of `inbox` at the place or before it, if the read that returned the place could see the row. Items
 * are numbered before their commit, so on PostgreSQL an item can become visible after a higher-numbered one.
 */
export function isCovered(
  row: string,
  { place, next, open }: Pick<InboxPlace, 'place' | 'next' | 'open'>,
  dialect: Dialect,
): RawBuilder<boolean> {
  // The addition keeps the planner from using the index of the numbers, which would walk the items of all channels.
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
 * True for a message to everyone, row `a` of `inbox`, that waits for the member `m`: it did not send the message, and
 * has no item of its own for it. The query must join `m` first, because other channels may have many such messages.
 */
export const isItemOfMember = sql<boolean>`(a.agent_id = ${sql.lit(everyone)}
  and a.channel_id = m.channel_id and a.seq > m.joined_seq and a.seq > m.inbox_seq
  and not exists (select 1 from inbox o where o.channel_id = a.channel_id
    and o.message_seq = a.message_seq and o.agent_id = m.agent_id)
  and not exists (select 1 from messages s where s.channel_id = a.channel_id
    and s.seq = a.message_seq and s.sender_id = m.agent_id))`;

/** Ends a sub-select of items to remove: items that another transaction removes already are left out. */
export const skipHeld = (dialect: Dialect) =>
  dialect === 'postgres' ? sql`for update skip locked` : sql``;

/** The greater of two columns. Commands of two hubs may move a mark at once, and it never goes back. */
export function greaterOf(dialect: Dialect, one: string, other: string): RawBuilder<number> {
  const greater = sql.raw(dialect === 'sqlite' ? 'max' : 'greatest');
  return sql<number>`${greater}(${sql.ref(one)}, ${sql.ref(other)})`;
}

/**
 * The items of an agent whose id another row gives, newest first, as condition and order of a query. With a plain
 * equality, PostgreSQL may walk the items of all agents in the order of their numbers, to find those of one that has
 * few or none.
 */
export function newestOf(row: string, agentId: RawBuilder<unknown>): RawBuilder<unknown> {
  const [agent, id] = [sql.ref(`${row}.agent_id`), sql.ref(`${row}.id`)];
  return sql`${agent} between ${agentId} and ${agentId} order by ${agent} desc, ${id} desc`;
}
