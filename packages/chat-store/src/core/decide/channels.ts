import { refuse, type Actor } from '../../commands.ts';
import { newId } from '../new-id.ts';
import { channelOf, memberOf, toJson } from '../objects.ts';
import { isOutOfBounds } from '../rights.ts';
import type { ChannelsTable, ChannelWithHead, MembersTable } from '../tables.ts';
import { accepted, agentKindOf, dbOf, loadAuthorized, type Decide } from './decision.ts';

/** The creator is the owner and the first member; its join is seq 1. */
export const createChannel: Decide<'channel.create'> = async (group, { actor, params }) => {
  const id = params.channelId ?? newId(group.nowMs);
  if (isOutOfBounds(actor, id)) return refuse('forbidden', `the token is not for channel ${id}`);
  const row: ChannelsTable = {
    id,
    kind: params.kind,
    name: params.name,
    topic: params.topic,
    pair: null,
    metadata: toJson(params.metadata),
    created_by: actor.agentId,
    created_at: group.nowMs,
    archived_at: null,
    deleted_at: null,
    swept_at: null,
  };
  // If another hub is creating the channel too, the second one finds that the id is taken. The id of a deleted channel
  // is also taken.
  const created = await dbOf(group)
    .insertInto('channels')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!created) return refuse('conflict', `the channelId ${id} is or was in use`);
  const channel: ChannelWithHead = { ...row, head: 0 };
  group.adopt(channel);

  const member: MembersTable = {
    channel_id: id,
    agent_id: actor.agentId,
    role: 'owner',
    display_name: null,
    joined_at: group.nowMs,
  };
  await dbOf(group).insertInto('members').values(member).execute();
  group.addAgent(actor.agentId);
  const event = group.append(channel, {
    sender: actor,
    event: () => ({
      type: 'channel.member.join',
      channelId: id,
      member: memberOf({ ...member, kind: agentKindOf(actor) }),
    }),
  });
  return accepted({ channel: channelOf(channel) }, event);
};

/** Absent fields stay unchanged; null clears a field. */
export const updateChannel: Decide<'channel.update'> = async (group, { actor, params }) => {
  const loaded = await loadAuthorized(group, actor, params.channelId, 'owner');
  if (!loaded.ok) return loaded;
  const { channel } = loaded;
  const { name = channel.name, topic = channel.topic } = params;
  const metadata = params.metadata === undefined ? channel.metadata : toJson(params.metadata);
  if (name === channel.name && topic === channel.topic && metadata === channel.metadata) {
    return accepted({ channel: channelOf(channel) });
  }
  return changeChannel(group, channel, actor, 'channel.update', { name, topic, metadata });
};

/** Makes the channel read-only. */
export const archiveChannel: Decide<'channel.archive'> = async (group, { actor, params }) => {
  const loaded = await loadAuthorized(group, actor, params.channelId, 'owner', 'even archived');
  if (!loaded.ok) return loaded;
  const { channel } = loaded;
  if (channel.archived_at !== null) return accepted({ channel: channelOf(channel) });
  const change = { archived_at: group.nowMs };
  return changeChannel(group, channel, actor, 'channel.archive', change);
};

/** The log stays readable for hubs that have not yet reached its last event, which reports the deletion. */
export const deleteChannel: Decide<'channel.delete'> = async (group, { actor, params }) => {
  const loaded = await loadAuthorized(group, actor, params.channelId, 'owner', 'even archived');
  if (!loaded.ok) return loaded;
  const { channel } = loaded;
  const event = group.append(channel, {
    sender: actor,
    event: () => ({ type: 'channel.delete', channelId: channel.id }),
  });
  channel.deleted_at = group.nowMs;
  await dbOf(group)
    .updateTable('channels')
    .set({ deleted_at: group.nowMs })
    .where('id', '=', channel.id)
    .execute();
  return accepted({}, event);
};

async function changeChannel(
  group: Parameters<typeof loadAuthorized>[0],
  channel: ChannelWithHead,
  sender: Actor,
  type: 'channel.update' | 'channel.archive',
  change: Partial<Pick<ChannelsTable, 'name' | 'topic' | 'metadata' | 'archived_at'>>,
) {
  await dbOf(group).updateTable('channels').set(change).where('id', '=', channel.id).execute();
  Object.assign(channel, change);
  const event = group.append(channel, {
    sender,
    event: () => ({ type, channelId: channel.id, channel: channelOf(channel) }),
  });
  return accepted({ channel: channelOf(channel) }, event);
}
