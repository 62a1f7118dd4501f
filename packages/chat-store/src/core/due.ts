import { sql, type Kysely } from 'kysely';
import type { Expiry } from '../commands.ts';
import type { Engine } from './engine.ts';
import type { Tables } from './tables.ts';

/** The most asks and questions that one call finds due. */
const dueMax = 100;

/** An ask or a question, by its id. */
export type NamedById = { readonly askId: string } | { readonly questionId: string };

/** The asks and questions that are to expire now, by the database's time, the longest due first. */
export async function findDue({ db, sql: { now } }: Engine): Promise<Expiry[]> {
  const { rows } = await sql<{ id: string; channel_id: string }>`
    select id, channel_id from asks where due_at <= ${now()}
    order by due_at limit ${sql.lit(dueMax)}`.execute(db);
  return rows.map(({ id, channel_id }) => ({ kind: 'ask', id, channelId: channel_id }));
}

/**
 * Makes the open asks and questions of a channel due that stand before a seq, so that they expire before they are
 * trimmed. Returns the seq of the first; Infinity when there is none.
 */
export async function endOpenBefore(
  db: Kysely<Tables>,
  channelId: string,
  end: number,
): Promise<number> {
  const open = sql`channel_id = ${channelId} and seq < ${end} and due_at is not null`;
  const { rows } = await sql<{ first: number | null }>`
    select min(seq) as first from asks where ${open}`.execute(db);
  const first = rows[0]?.first ?? null;
  if (first === null) return Infinity;
  await sql`update asks set due_at = 0 where ${open}`.execute(db);
  return first;
}

/** The channel of an ask or a question, which never changes; null when it does not exist. `agentId` wants to know. */
export async function findChannelOf(
  { db }: Engine,
  named: NamedById,
  _agentId: string,
): Promise<string | null> {
  const [table, id] =
    'askId' in named ? (['asks', named.askId] as const) : (['asks', named.questionId] as const);
  const row = await db
    .selectFrom(table)
    .select('channel_id')
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.channel_id ?? null;
}
