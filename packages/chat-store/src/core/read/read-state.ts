import { sql } from 'kysely';
import { headOf } from '../head.ts';
import { everyone } from '../tables.ts';
import { resultText } from './page-text.ts';
import type { Read } from './reading.ts';

const unreadMax = 10_000;
const mentionsMax = 1_000;
/** Beyond this number, deleted messages count as unread. */
const deletedMax = 1_000;
/** The most channels in one answer, so that it stays within a few MiB. */
const channelsMax = 10_000;

/** The largest row: an id of 128 characters, four numbers, and the names of the fields. */
const rowBytes = 256;

/**
 * One statement reads cursor, head and counts, so that they agree. Messages are numbered in their channel, and also for
 * each sender there. So two counts are the last number minus the first, plus 1: that of all newer messages, and that of
 * the agent's own. Only mentions and deleted messages are counted one by one, up to a limit.
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
    mentions_of_all: number;
    /**
     * After the cursor, `newer` counts all messages, `own` those of the agent, and `deleted` the deleted ones of
     * others.
     */
    newer: number;
    own: number;
    deleted: number;
  }>`
    select s."channelId", s.seq, s.head,
      (select count(*) from (
        select 1 from mentions n
        where n.agent_id = ${actor.agentId} and n.channel_id = s."channelId" and n.seq > s.seq
        limit ${sql.lit(mentionsMax)}) as counted) as mentions,
      (select count(*) from (
        select n.seq from mentions n
        where n.agent_id = ${everyone} and n.channel_id = s."channelId" and n.seq > s.all_after
        limit ${sql.lit(mentionsMax)}) as a
        where not exists (
          select 1 from mentions o
          where o.agent_id = ${actor.agentId} and o.channel_id = s."channelId" and o.seq = a.seq)
        and not exists (
          select 1 from messages x
          where x.channel_id = s."channelId" and x.seq = a.seq
            and x.sender_id = ${actor.agentId})) as mentions_of_all,
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
        case when m.joined_seq > coalesce(r.seq, 0) then m.joined_seq
          else coalesce(r.seq, 0) end as all_after,
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
  const channels = rows.map(({ newer, own, deleted, mentions_of_all, ...state }) => ({
    ...state,
    mentions: Math.min(state.mentions + mentions_of_all, mentionsMax),
    unread: Math.min(newer - own - deleted, unreadMax),
  }));
  return { ok: true, text: resultText('channels', rowTexts(channels), () => ({})) };
};

// An agent may be in very many channels, so the rows become JSON one by one, and other work can run between them.
function* rowTexts(rows: readonly object[]): Generator<string> {
  let separator = '';
  for (const row of rows) {
    yield separator + JSON.stringify(row);
    separator = ',';
  }
}
