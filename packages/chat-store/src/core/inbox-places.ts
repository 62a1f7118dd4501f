import { hash } from 'node:crypto';
import type { InboxPlace } from '@openclaw/protocol';
import { sql, type RawBuilder } from 'kysely';
import type { Dialect } from './engine.ts';

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
