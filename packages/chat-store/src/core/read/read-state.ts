import { sql } from 'kysely';
import { headOf } from '../head.ts';
import { resultText } from './page-text.ts';
import type { Read } from './reading.ts';

/** Unread messages of one channel are counted up to this; a higher count is answered as this one. */
const unreadMax = 10_000;
/** The same for an agent's mentions in one channel. */
const mentionsMax = 1_000;
/** So many deleted messages after a cursor are subtracted; those deleted beyond count as unread. */
const deletedMax = 1_000;
/** The channels of one answer, the first by their ids: so it stays within a few MiB. */
const channelsMax = 10_000;

/** A row's JSON takes no more: an id of 128 characters, four numbers, the names. */
const rowBytes = 256;

/**
 * Every channel the agent is a member of. One statement: cursor, head and counts are of one moment.
 *
 * The cost does not grow with what is unread. Messages are numbered, in their channel and by sender, so that the first
 * after the cursor and the last say how many there are, and how many of them are the agent's own. Only mentions and
 * deleted messages are counted one by one, each along an index and up to a bound.
 */
export const readState: Read<'read.state'> = async (db, actor, _params, maxBytes) => {
  if (actor.channels?.length === 0) return { ok: true, result: { channels: [] } };
  const bounds = actor.channels ? sql`and c.id in (${sql.join([...actor.channels])})` : sql``;
  const ownEnd = (order: 'asc' | 'desc') =>
    sql`(select x.sender_ordinal from messages x
      where x.channel_id = s."channelId" and x.sender_id = ${actor.agentId}
        and x.ordinal >= s.first_unread
      order by x.ordinal ${sql.raw(order)} limit 1)`;
  const { rows } = await sql<{
    channelId: string;
    seq: number;
    head: number;
    mentions: number;
    /** Messages after the cursor, those of them that are the agent's own, and those of others that were deleted. */
    newer: number;
    own: number;
    deleted: number;
  }>`
    select s."channelId", s.seq, s.head,
      (select count(*) from (
        select 1 from mentions n
        where n.agent_id = ${actor.agentId} and n.channel_id = s."channelId" and n.seq > s.seq
        limit ${sql.lit(mentionsMax)}) as counted) as mentions,
      coalesce(1 - s.first_unread + (
        select x.ordinal from messages x
        where x.channel_id = s."channelId"
        order by x.seq desc limit 1), 0) as newer,
      coalesce(1 - ${ownEnd('asc')} + ${ownEnd('desc')}, 0) as own,
      (select count(*) from (
        select x.sender_id from messages x
        where x.channel_id = s."channelId" and x.ordinal >= s.first_unread
          and x.deleted_at is not null
        order by x.ordinal limit ${sql.lit(deletedMax)}) as d
        where d.sender_id <> ${actor.agentId}) as deleted
    from (
      select c.id as "channelId", coalesce(r.seq, 0) as seq, ${headOf('c.id')} as head,
        (select x.ordinal from messages x
          where x.channel_id = c.id and x.seq > coalesce(r.seq, 0)
          order by x.seq limit 1) as first_unread
      from members m
      join channels c on c.id = m.channel_id
      left join read_cursors r on r.agent_id = m.agent_id and r.channel_id = m.channel_id
      where m.agent_id = ${actor.agentId} and c.deleted_at is null ${bounds}
      order by m.channel_id
      limit ${sql.lit(Math.min(channelsMax, Math.floor(maxBytes / rowBytes)))}) as s
    order by s."channelId"`.execute(db);
  const channels = rows.map(({ newer, own, deleted, ...state }) => ({
    ...state,
    unread: Math.min(newer - own - deleted, unreadMax),
  }));
  return { ok: true, text: resultText('channels', rowTexts(channels), () => ({})) };
};

// One by one, as they are encoded: an agent may be a member of very many channels.
function* rowTexts(rows: readonly object[]): Generator<string> {
  let separator = '';
  for (const row of rows) {
    yield separator + JSON.stringify(row);
    separator = ',';
  }
}
