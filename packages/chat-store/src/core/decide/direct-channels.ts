import type { Prefetched } from '../prefetch.ts';
import type { GroupState } from '../group-state.ts';
import { headOf } from '../head.ts';
import type { ChannelsTable, ChannelWithHead } from '../tables.ts';
import { dbOf } from './decision.ts';
import { traceCauses } from './origin.ts';
import { channelIdOf, directChannelId, pairOf, refuseSend, type Send } from './send.ts';

/**
 * Makes the direct channels that a run of messages needs and that are not there yet, with their two members and an
 * empty log: seq 1 is the first message. Answers which they are.
 */
export async function openDirectChannels(
  group: GroupState,
  prefetched: Prefetched,
  sends: readonly Send[],
): Promise<Set<string>> {
  const missing = new Map<string, Send & { method: 'direct.send' }>();
  for (const send of sends) {
    if (send.method !== 'direct.send' || refuseSend(send)) continue;
    if (send.actor.mayOpenDirects === false) continue;
    const id = channelIdOf(send);
    if (!traceCauses(prefetched, send.actor, id, send.params).ok) continue;
    // Who sends the first message has made the channel.
    if (!group.channel(id) && !missing.has(id)) missing.set(id, send);
  }
  // In id order, as channels are locked: two hubs that make the same ones do not wait for each other in a circle.
  for (const [, { actor, params }] of [...missing].sort(([a], [b]) => (a < b ? -1 : 1))) {
    group.adopt(await openDirectChannel(group, actor.agentId, params.agentId));
  }
  return new Set(missing.keys());
}

async function openDirectChannel(
  group: GroupState,
  sender: string,
  recipient: string,
): Promise<ChannelWithHead> {
  const db = dbOf(group);
  const id = directChannelId(sender, recipient);
  const pair = pairOf(sender, recipient);
  const row: ChannelsTable = {
    ...{ id, kind: 'direct', name: pair.replace('\n', ', '), topic: null, metadata: null, pair },
    ...{
      created_by: sender,
      created_at: group.nowMs,
      archived_at: null,
      deleted_at: null,
      swept_at: null,
    },
  };
  const created = await db
    .insertInto('channels')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (created) {
    const members = pair.split('\n').map((agent_id) => ({
      ...{ channel_id: id, agent_id, role: 'member' as const, display_name: null },
      joined_at: group.nowMs,
    }));
    await db.insertInto('members').values(members).execute();
    for (const { agent_id } of members) group.addAgent(agent_id);
    return { ...row, head: 0 };
  }
  // Another hub was faster: its channel is locked like any other.
  let query = db.selectFrom('channels').selectAll().where('id', '=', id);
  if (group.transaction.locksRows) query = query.forUpdate();
  const channel = await query.executeTakeFirstOrThrow();
  // By a statement of its own: one that waited for the lock sees what was committed before it waited.
  const { head } = await db
    .selectFrom('channels')
    .select(headOf('channels.id').as('head'))
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return { ...channel, head };
}
