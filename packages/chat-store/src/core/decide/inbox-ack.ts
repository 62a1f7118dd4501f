import { decodeInboxCursor } from '@openclaw/protocol/wire';
import { sql, type RawBuilder } from 'kysely';
import { greaterOf, inboxScope, isCovered } from '../inbox-places.ts';
import { everyone } from '../tables.ts';
import { accepted, type Decide } from './decision.ts';

/**
 * Removes the items that the cursor covers. Items of channels that the agent has left stay, because reads do not show
 * such items. A cursor of another epoch, agent or set of channels changes nothing. Locks no channel. Locks a member
 * before its count in `inbox_overflow`, as the sweep does.
 */
export const acknowledgeInbox: Decide<'inbox.ack'> = async (group, { actor, params }) => {
  const { agentId, channels } = actor;
  const at = decodeInboxCursor(params.cursor);
  if (at?.scope !== inboxScope(group.epoch, agentId, channels) || channels?.length === 0)
    return accepted({});
  const dialect = group.locksRows ? 'postgres' : 'sqlite';
  const bounds = channels ? sql`and m.channel_id in (${sql.join([...channels])})` : sql``;
  const mine = sql`select m.channel_id from members m where m.agent_id = ${agentId} ${bounds}`;
  const items = sql`delete from inbox where agent_id = ${agentId} and channel_id in (${mine})
    and ${isCovered('inbox', at, dialect)}`;
  const isFallen = sql`f.agent_id = ${agentId} and f.last_id <= ${at.place}`;
  // The greater seq wins, because another hub may have raised `inbox_seq` while this statement waited for the row. The
  // rows with seq 0 lock the members that have only a count in `inbox_overflow`, and leave their `inbox_seq` as it is.
  const marks = sql`update members set inbox_seq = ${greaterOf(dialect, 'members.inbox_seq', 'a.seq')}
    from (select a.channel_id, max(a.seq) as seq from (
        select a.channel_id, a.seq from members m cross join inbox a
        where a.channel_id = m.channel_id and a.agent_id = ${sql.lit(everyone)}
          and a.seq > m.joined_seq and a.seq > m.inbox_seq
          and m.agent_id = ${agentId} ${bounds} and ${isCovered('a', at, dialect)}
        union all select f.channel_id, 0 from inbox_overflow f
        where ${isFallen} and f.channel_id in (${mine})) as a
      group by a.channel_id) as a
    where members.agent_id = ${agentId} and members.channel_id = a.channel_id`;
  const fallen = (channelIds: RawBuilder<unknown>) =>
    sql`delete from inbox_overflow as f where ${isFallen} and f.channel_id in (${channelIds})`;
  if (dialect === 'postgres') {
    // One round trip, because other commands of the group hold locks during it.
    const marked = sql`select channel_id from marked`;
    await sql`with items as (${items}), marked as (${marks} returning members.channel_id)
      ${fallen(marked)}`.execute(group.db);
  } else {
    for (const statement of [items, marks, fallen(mine)]) await statement.execute(group.db);
  }
  return accepted({});
};
