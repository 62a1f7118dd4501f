import { sql } from 'kysely';
import { resultText } from './page-text.ts';
import type { Read } from './reading.ts';

/** Unread messages of one channel are counted up to here: who is so far behind is told "at least". */
export const unreadMax = 10_000;

/** A row's JSON takes no more: an id of 128 characters, four numbers, the names. */
const rowBytes = 256;

/** Every channel the agent is a member of. One statement: cursor, head and counts are of one moment. */
export const readState: Read<'read.state'> = async (db, actor, _params, maxBytes) => {
  if (actor.channels?.length === 0) return { ok: true, result: { channels: [] } };
  const bounds = actor.channels ? sql`and c.id in (${sql.join([...actor.channels])})` : sql``;
  const { rows } = await sql<{
    channelId: string;
    seq: number;
    head: number;
    unread: number;
    mentions: number;
  }>`
    select c.id as "channelId", coalesce(r.seq, 0) as seq, c.head as head,
      (select count(*) from (
        select 1 from messages x
        where x.channel_id = c.id and x.seq > coalesce(r.seq, 0)
          and x.sender_id <> ${actor.agentId} and x.deleted_at is null
        limit ${sql.lit(unreadMax)}) as counted) as unread,
      (select count(*) from mentions n
        where n.agent_id = ${actor.agentId} and n.channel_id = c.id
          and n.seq > coalesce(r.seq, 0)) as mentions
    from members m
    join channels c on c.id = m.channel_id
    left join read_cursors r on r.agent_id = m.agent_id and r.channel_id = m.channel_id
    where m.agent_id = ${actor.agentId} and c.deleted_at is null ${bounds}
    order by c.id
    limit ${sql.lit(Math.floor(maxBytes / rowBytes))}`.execute(db);
  return { ok: true, text: resultText('channels', rowTexts(rows), {}) };
};

// One by one, as they are encoded: an agent may be a member of very many channels.
function* rowTexts(rows: readonly object[]): Generator<string> {
  for (const row of rows) yield JSON.stringify(row);
}
