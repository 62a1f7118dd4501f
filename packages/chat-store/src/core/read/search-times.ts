import type { ParamsOf } from '@openclaw/protocol';
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { idsFrom } from '../new-id.ts';
import { disorderMs, segmentOf } from '../search/posting-list.ts';
import type { Tables } from '../tables.ts';

type Params = Pick<ParamsOf<'message.search'>, 'before' | 'after'>;

/** At most this many messages are read to find one that has a document. A deleted message has none. */
const messagesMax = 50;

/** An id begins with its message's time. */
export function hasWantedTime({ before, after }: Params): RawBuilder<boolean> {
  const conditions = [sql<boolean>`1 = 1`];
  if (before !== null) conditions.push(sql`m.id < ${idsFrom(before)}`);
  if (after !== null) conditions.push(sql`m.id >= ${idsFrom(after + 1)}`);
  return sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

/** For each segment, exclusive bounds of the documents that may have the wanted time. */
export interface TimeBounds {
  above(segment: number): number;
  below(segment: number): number;
}

/**
 * Finds documents just outside the two times. A segment is in the order of time except for `disorderMs`, so all
 * documents beyond a found one are outside too. Where no document is found, any document may match.
 */
export async function boundsOfTimes(
  db: Kysely<Tables>,
  { before, after }: Params,
): Promise<TimeBounds> {
  const later =
    before === null ? [] : await docsAt(db, sql`id >= ${idsFrom(before + disorderMs)}`, 'asc');
  const earlier =
    after === null ? [] : await docsAt(db, sql`id < ${idsFrom(after - disorderMs)}`, 'desc');
  const within = (docs: readonly number[], segment: number) =>
    docs.filter((doc) => segmentOf(doc) === segment);
  return {
    above: (segment) => Math.max(-Infinity, ...within(earlier, segment)),
    below: (segment) => Math.min(Infinity, ...within(later, segment)),
  };
}

async function docsAt(
  db: Kysely<Tables>,
  condition: RawBuilder<unknown>,
  order: 'asc' | 'desc',
): Promise<number[]> {
  const { rows } = await sql<{ doc: number | null }>`
    select (select d.doc from search_docs d where d.channel_id = m.channel_id and d.seq = m.seq)
      as doc
    from (select channel_id, seq from messages where ${condition}
      order by id ${sql.raw(order)} limit ${sql.lit(messagesMax)}) as m`.execute(db);
  return rows.flatMap(({ doc }) => (doc === null ? [] : [doc]));
}
