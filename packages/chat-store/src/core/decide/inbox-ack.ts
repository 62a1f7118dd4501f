import { decodeInboxCursor } from '@openclaw/protocol/wire';
import { sql } from 'kysely';
import { greaterOf, inboxScope, isCovered } from '../inbox-places.ts';
import { everyone } from '../tables.ts';
import { accepted, type Decide } from './decision.ts';

/**
 * Removes the items that the cursor covers. Items of channels that the agent has left stay, because reads do not show
 * such items. A cursor of another epoch, agent or set of channels changes nothing. Locks no channel.
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
  const fallen = sql`delete from inbox_overflow where agent_id = ${agentId}
    and channel_id in (${mine}) and last_id <= ${at.place}`;
  // Another hub may have raised `inbox_seq` while this statement waited for the row.
  const ofAll = sql`update members set inbox_seq = ${greaterOf(dialect, 'members.inbox_seq', 'a.seq')}
    from (select a.channel_id, max(a.seq) as seq
      from members m cross join inbox a
      where a.channel_id = m.channel_id and a.agent_id = ${sql.lit(everyone)}
        and a.seq > m.joined_seq and a.seq > m.inbox_seq
        and m.agent_id = ${agentId} ${bounds} and ${isCovered('a', at, dialect)}
      group by a.channel_id) as a
    where members.agent_id = ${agentId} and members.channel_id = a.channel_id`;
  if (dialect === 'postgres') {
    // One round trip, because the group holds the locks of its other commands meanwhile.
    await sql`with items as (${items}), fallen as (${fallen}) ${ofAll}`.execute(group.db);
  } else {
    for (const statement of [items, fallen, ofAll]) await statement.execute(group.db);
  }
  return accepted({});
};
