import type { Prefetched } from '../prefetch.ts';
import type { GroupState } from '../group-state.ts';
import { headOf } from '../head.ts';
import type { ChannelWithHead } from '../tables.ts';
import { insertChannel } from './channels.ts';
import { traceCauses } from './origin.ts';
import { pairOf, refusalToOpen, refuseSend, type Send } from './send.ts';

/**
 * Creates the direct channels that these messages need and that do not exist yet. A new log is empty, so the first
 * message gets seq 1. Returns the ids of these channels.
 */
export async function openDirectChannels(
  group: GroupState,
  prefetched: Prefetched,
  sends: readonly Send[],
): Promise<Set<string>> {
  const missing = new Map<string, Send & { method: 'direct.send' }>();
  for (const send of sends) {
    if (send.method !== 'direct.send' || refuseSend(send)) continue;
    if (send.actor.mayOpenDirects === false || refusalToOpen(group, send)) continue;
    const id = send.channelId;
    if (!traceCauses(prefetched, send.actor, id, send.params).ok) continue;
    if (!group.channel(id) && !missing.has(id)) missing.set(id, send);
  }
  // In id order, so that two hubs that create the same channels do not deadlock.
  for (const [id, { actor, params }] of [...missing].sort(([a], [b]) => (a < b ? -1 : 1))) {
    group.adopt(await openDirectChannel(group, id, actor.agentId, params.agentId));
  }
  return new Set(missing.keys());
}

async function openDirectChannel(
  group: GroupState,
  id: string,
  sender: string,
  recipient: string,
): Promise<ChannelWithHead> {
  const { db } = group;
  const pair = pairOf(sender, recipient);
  const name = pair.replace('\n', ', ');
  const created = await insertChannel(group, {
    id,
    kind: 'direct',
    name,
    pair,
    created_by: sender,
  });
  if (created) {
    const members = pair.split('\n').map((agent_id) => ({
      channel_id: id,
      agent_id,
      role: 'member' as const,
      display_name: null,
      joined_at: group.nowMs,
      joined_seq: 0,
      inbox_seq: 0,
    }));
    await db.insertInto('members').values(members).execute();
    for (const { agent_id } of members) group.addAgent(agent_id);
    return created;
  }
  // Another hub created the channel first. The channel must be locked like every existing one.
  let query = db.selectFrom('channels').selectAll().where('id', '=', id);
  if (group.locksRows) query = query.forUpdate();
  const channel = await query.executeTakeFirstOrThrow();
  // The head is read by a separate statement, because the one above may wait for the lock. A statement that waits does
  // not see commits made during the wait.
  const { head } = await db
    .selectFrom('channels')
    .select(headOf('channels.id').as('head'))
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return { ...channel, head };
}
