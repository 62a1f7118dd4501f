import { refuseWith, type Actor, type AppendedEvent } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import type { ChannelWithHead, ClaimsTable } from '../tables.ts';
import { refuseNoRoot } from '../thread-root.ts';
import { accepted, type DecideAuthorized } from './decision.ts';

// The table `claims` has one row for each thread, with the newest claim of the thread. The row stays after the claim
// ends, because fences must keep rising.

const hub: Pick<Actor, 'agentId' | 'kind'> = { agentId: 'hub', kind: 'hub' };

/** If the caller has the thread already, extends the lease and logs nothing. */
export const claimThread: DecideAuthorized<'claim'> = async (group, command) => {
  const { actor, channel, params } = command;
  const { channelId, threadId, leaseMs } = params;
  const { agentId } = actor;
  const key = { channel_id: channelId, thread_id: threadId };
  const root = await group.db
    .selectFrom('messages')
    .select('thread_id')
    .where((eb) => eb.and({ id: threadId, channel_id: channelId }))
    .executeTakeFirst();
  if (root?.thread_id !== null) return refuseNoRoot(root, threadId);
  const last = await newestClaim(group, channelId, threadId);
  const isHeld = last !== undefined && isHeldNow(group, last);
  if (isHeld && last.agent_id !== agentId) {
    return refuseWith('conflict', `${last.agent_id} has claimed thread ${threadId}`, {
      holder: last.agent_id,
      untilMs: last.until_at,
    });
  }
  const untilMs = Math.max(group.nowMs + leaseMs, isHeld ? last.until_at : 0);
  const fence = isHeld ? last.fence : (last?.fence ?? 0) + 1;
  const row = { agent_id: agentId, fence, until_at: untilMs, released: 0 };
  await group.db
    .insertInto('claims')
    .values({ ...key, ...row })
    .onConflict((conflict) => conflict.columns(['channel_id', 'thread_id']).doUpdateSet(row))
    .execute();
  if (isHeld) return accepted({ fence, untilMs });
  const events: AppendedEvent[] = [];
  if (last?.released === 0) events.push(logRelease(group, channel, hub, last, true));
  const payload = { threadId, agentId, fence, untilMs };
  events.push(
    group.append(channel, actor, { type: 'collaboration.event', name: 'claim.granted', payload }),
  );
  return accepted({ fence, untilMs }, ...events);
};

/**
 * Changes nothing if the claim has ended. The next grant logs the end of an expired claim, so that each claim has one
 * end.
 */
export const releaseClaim: DecideAuthorized<'claim.release'> = async (group, command) => {
  const { actor, channel, params } = command;
  const { channelId, threadId } = params;
  const last = await newestClaim(group, channelId, threadId);
  if (last?.agent_id !== actor.agentId) {
    const isHeld = last !== undefined && isHeldNow(group, last);
    return refuseWith('conflict', `${actor.agentId} has not claimed thread ${threadId}`, {
      holder: isHeld ? last.agent_id : null,
      untilMs: isHeld ? last.until_at : null,
    });
  }
  const { fence } = last;
  if (!isHeldNow(group, last)) return accepted({ fence, untilMs: last.until_at });
  await group.db
    .updateTable('claims')
    .set({ released: 1, until_at: group.nowMs })
    .where((eb) => eb.and({ channel_id: channelId, thread_id: threadId }))
    .execute();
  return accepted({ fence, untilMs: group.nowMs }, logRelease(group, channel, actor, last, false));
};

export function newestClaim(
  group: GroupState,
  channelId: string,
  threadId: string,
): Promise<ClaimsTable | undefined> {
  return group.db
    .selectFrom('claims')
    .selectAll()
    .where((eb) => eb.and({ channel_id: channelId, thread_id: threadId }))
    .executeTakeFirst();
}

function isHeldNow(group: GroupState, claim: ClaimsTable): boolean {
  return claim.released === 0 && claim.until_at > group.nowMs;
}

function logRelease(
  group: GroupState,
  channel: ChannelWithHead,
  sender: Pick<Actor, 'agentId' | 'kind'>,
  { thread_id: threadId, agent_id: agentId, fence }: ClaimsTable,
  expired: boolean,
): AppendedEvent {
  const payload = { threadId, agentId, fence, expired };
  return group.append(channel, sender, {
    type: 'collaboration.event',
    name: 'claim.released',
    payload,
  });
}
