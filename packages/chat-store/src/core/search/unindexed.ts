import { sql, type Kysely } from 'kysely';
import type { Engine } from '../engine.ts';
import { jsonList } from '../json-list.ts';
import type { Tables } from '../tables.ts';

/** The most rows of logs that one piece reads, and the most bytes of messages, so that no commit waits long. */
export const rowsMax = 512;
export const bytesMax = 262_144;

/** A message as the index sees it. */
export interface IndexedRow {
  readonly id: string;
  readonly channel_id: string;
  readonly seq: number;
  readonly sender_id: string;
  /** 1 if it is deleted, or its channel. */
  readonly gone: 0 | 1;
  readonly envelope: string;
  /** Null if the index does not have it yet. */
  readonly doc: number | null;
}

/** A part of a channel's log that is not indexed. */
export interface Range {
  readonly channelId: string;
  readonly after: number;
  readonly head: number;
  /** The last seq that the piece indexes. */
  to: number;
}

export interface LoggedMessage extends IndexedRow {
  readonly logSeq: number;
  readonly bytes: number;
  /** The bytes of this row and of those before it. */
  readonly total: number;
}

/**
 * The messages that these parts of the logs name: the first row of each part, then the second ones, so that no part
 * waits for a long one. Rows beyond `bytesMax` come without text.
 */
export async function messagesIn(
  { db, dialect }: Engine,
  ranges: readonly Range[],
): Promise<readonly LoggedMessage[]> {
  const list = jsonList(
    dialect,
    { channel_id: 'text', after: 'bigint', up_to: 'bigint', place: 'bigint' },
    ranges.map(({ channelId, after, to }, place) => [channelId, after, to, place]),
  );
  const join = joined(dialect);
  const { rows } = await sql<LoggedMessage>`
    with logged as (
      select l.seq as log_seq, l.seq - w.after as nth, w.place, m.id, m.channel_id, m.seq,
        m.sender_id, m.text_seq,
        case when m.deleted_at is null and c.deleted_at is null then 0 else 1 end as gone,
        (select d.doc from search_docs d where d.channel_id = m.channel_id and d.seq = m.seq)
          as doc,
        coalesce((select octet_length(t.envelope) from log t
          where t.channel_id = m.channel_id and t.seq = m.text_seq), 0) as bytes
      from ${list} as w
      ${join} channels c on c.id = w.channel_id
      ${join} log l on l.channel_id = w.channel_id and l.seq > w.after and l.seq <= w.up_to
      ${join} messages m on m.id = l.message_id
      where l.type in ('channel.message', 'thread.message', 'channel.message.edit',
        'channel.message.delete')
    ), summed as (
      select logged.*, cast(sum(bytes) over (order by nth, place rows unbounded preceding)
        as bigint) as total
      from logged
    )
    select log_seq as "logSeq", id, channel_id, seq, sender_id, gone, doc, bytes, total,
      case when total <= ${sql.lit(bytesMax)} or total = bytes then (
        select t.envelope from log t where t.channel_id = s.channel_id and t.seq = s.text_seq)
      end as envelope
    from summed s order by nth, place`.execute(db);
  return rows;
}

// SQLite keeps the order of a cross join, so that it reads the list first and uses the keys of the other tables.
const joined = (dialect: Engine['dialect']) =>
  sql.raw(dialect === 'sqlite' ? 'cross join' : 'join');

/**
 * The parts of the logs that one piece reads, in a random order, and the channels for which it has no row left. Each
 * channel gets an equal share of the rows: one that is flooded does not keep others out of the index. Seqs have no
 * holes, so they count the rows.
 */
export async function rangesOf(
  { db, dialect }: Engine,
  heads: readonly { readonly channelId: string; readonly head: number }[],
): Promise<{ readonly ranges: readonly Range[]; readonly leftOut: readonly string[] }> {
  const list = jsonList(
    dialect,
    { channel_id: 'text', head: 'bigint' },
    heads.map(({ channelId, head }) => [channelId, head]),
  );
  const { rows } = await sql<{ channelId: string; head: number; after: number }>`
    select w.channel_id as "channelId", w.head,
      case when coalesce(f.floor, 1) - 1 > coalesce(s.seq, 0) then f.floor - 1
        else coalesce(s.seq, 0) end as after
    from ${list} as w
    left join search_fed s on s.channel_id = w.channel_id
    left join log_floors f on f.channel_id = w.channel_id
    order by random()`.execute(db);
  const behind = rows.filter(({ head, after }) => head > after);
  const ranges = behind.slice(0, rowsMax).map((row): Range => ({ ...row, to: row.head }));
  let left = rowsMax;
  const shortestFirst = ranges.toSorted((a, b) => a.head - a.after - (b.head - b.after));
  for (const [index, range] of shortestFirst.entries()) {
    const share = Math.floor(left / (ranges.length - index));
    range.to = Math.min(range.head, range.after + share);
    left -= range.to - range.after;
  }
  const leftOut = behind.slice(rowsMax).map(({ channelId }) => channelId);
  return { ranges, leftOut };
}

/** The messages with these ids. */
export async function messagesById(
  db: Kysely<Tables>,
  ids: readonly string[],
): Promise<IndexedRow[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<IndexedRow>`select m.id, m.channel_id, m.seq, m.sender_id,
      case when m.deleted_at is null and c.deleted_at is null then 0 else 1 end as gone,
      (select l.envelope from log l where l.channel_id = m.channel_id and l.seq = m.text_seq)
        as envelope,
      (select d.doc from search_docs d where d.channel_id = m.channel_id and d.seq = m.seq) as doc
    from messages m join channels c on c.id = m.channel_id
    where m.id in (${sql.join([...ids])})`.execute(db);
  return rows;
}
