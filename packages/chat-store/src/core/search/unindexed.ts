import { sql, type Kysely } from 'kysely';
import type { Engine } from '../engine.ts';
import { jsonList } from '../json-list.ts';
import type { Tables } from '../tables.ts';

/** The most log rows and bytes that one piece of indexing reads, so that no commit waits long. */
export const rowsMax = 512;
export const bytesMax = 262_144;

export interface IndexedRow {
  readonly id: string;
  readonly channel_id: string;
  readonly seq: number;
  readonly sender_id: string;
  /** 1 if the message or its channel is deleted. */
  readonly gone: 0 | 1;
  readonly envelope: string;
  /** Null if the message is not indexed yet. */
  readonly doc: number | null;
}

export interface Range {
  readonly channelId: string;
  readonly after: number;
  readonly head: number;
  to: number;
}

export interface LoggedMessage extends IndexedRow {
  readonly logSeq: number;
  readonly bytes: number;
  readonly total: number;
}

/**
 * Reads the first row of each range, then the second rows, so that no range waits for a long one. Rows beyond
 * `bytesMax` come without text.
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
        case when m.text_seq = l.seq then octet_length(l.envelope) else
          coalesce((select octet_length(t.envelope) from log t
            where t.channel_id = m.channel_id and t.seq = m.text_seq), 0) end as bytes
      from ${list} as w
      ${join} channels c on c.id = w.channel_id
      ${join} log l on l.channel_id = w.channel_id and l.seq > w.after and l.seq <= w.up_to
      ${join} messages m on m.channel_id = l.channel_id and m.seq =
        case when l.type in ('channel.message', 'thread.message') then l.seq
          else (select o.seq from messages o where o.id = l.message_id) end
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

// SQLite keeps the order of a cross join: it reads the list first, and the other tables by key.
const joined = (dialect: Engine['dialect']) =>
  sql.raw(dialect === 'sqlite' ? 'cross join' : 'join');

/**
 * Divides the rows that one piece of indexing may read. Each channel gets an equal share, so that a flooded channel
 * does not keep the other channels out. The order of channels is random. Also returns the channels that get no row.
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
