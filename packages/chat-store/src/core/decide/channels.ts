import type { ChannelAnnouncement } from '@openclaw/protocol';
import { refuse, type AppendedEvent, type CommandOf } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import { newId } from '../new-id.ts';
import { channelOf, toJson } from '../objects.ts';
import { isOutOfBounds } from '../rights.ts';
import type { ChannelsTable, ChannelWithHead } from '../tables.ts';
import {
  accepted,
  agentKindOf,
  type Authorized,
  type Decide,
  type DecideAuthorized,
} from './decision.ts';
import { refusalOfFrozen } from './freezes.ts';
import { insertMember } from './members.ts';
import { interruptStreams, ofAll } from './interruptions.ts';

/** The creator is the owner and first member; its join is seq 1. */
export const createChannel: Decide<'channel.create'> = async (group, { actor, params }) => {
  const { kind, name, topic, metadata, retentionMs, maxMessages } = params;
  const id = params.channelId ?? newId(group.nowMs);
  if (isOutOfBounds(actor, id)) return refuse('forbidden', `the token is not for channel ${id}`);
  const frozen = refusalOfFrozen(actor, null);
  if (frozen) return frozen;
  const created_by = actor.agentId;
  const row = { id, kind, name, topic, metadata: toJson(metadata), created_by };
  const retention = { retention_ms: retentionMs, max_messages: maxMessages };
  const channel = await insertChannel(group, { ...row, ...retention });
  if (!channel) return refuse('conflict', `the channelId ${id} is or was in use`);
  group.adopt(channel);
  const joined = await insertMember(group, channel, actor, {
    agent_id: actor.agentId,
    role: 'owner',
    display_name: null,
    kind: agentKindOf(actor),
  });
  return accepted({ channel: channelOf(channel) }, announced(channel, 'created', joined.event));
};

/** Adds the announcement to an event of a public channel. No other channel is announced. */
function announced(
  { id: channelId, kind, name }: ChannelsTable,
  change: ChannelAnnouncement['change'],
  event: AppendedEvent,
): AppendedEvent {
  return kind === 'public' ? { ...event, announcement: { channelId, name, change } } : event;
}

/** Null if a channel has the id, even a deleted channel, or one that another hub creates at the same time. */
export async function insertChannel(
  group: GroupState,
  fields: Pick<ChannelsTable, 'id' | 'kind' | 'name' | 'created_by'> & Partial<ChannelsTable>,
): Promise<ChannelWithHead | null> {
  const row: ChannelsTable = {
    topic: null,
    pair: null,
    metadata: null,
    created_at: group.nowMs,
    archived_at: null,
    deleted_at: null,
    swept_at: null,
    retention_ms: null,
    max_messages: null,
    frozen_at: null,
    agent_turns: null,
    per_minute: null,
    ...fields,
  };
  const created = await group.db
    .insertInto('channels')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  return created ? { ...row, head: 0 } : null;
}

/** Absent fields stay; null clears a field. */
export const updateChannel: DecideAuthorized<'channel.update'> = async (group, command) => {
  const { channel, params } = command;
  const { name = channel.name, topic = channel.topic } = params;
  const { retentionMs = channel.retention_ms, maxMessages = channel.max_messages } = params;
  const metadata = params.metadata === undefined ? channel.metadata : toJson(params.metadata);
  const change = {
    ...{ name, topic, metadata },
    ...{ retention_ms: retentionMs, max_messages: maxMessages },
  };
  const isSame = Object.entries(change).every(
    ([column, value]) => channel[column as keyof typeof change] === value,
  );
  return isSame ? accepted({ channel: channelOf(channel) }) : changeChannel(group, command, change);
};

export const archiveChannel: DecideAuthorized<'channel.archive'> = async (group, command) => {
  const { channel } = command;
  return channel.archived_at === null
    ? changeChannel(group, command, { archived_at: group.nowMs })
    : accepted({ channel: channelOf(channel) });
};

export const unarchiveChannel: DecideAuthorized<'channel.unarchive'> = async (group, command) => {
  const { channel } = command;
  return channel.archived_at === null
    ? accepted({ channel: channelOf(channel) })
    : changeChannel(group, command, { archived_at: null });
};

/** The log stays readable for hubs that have not read the deletion. */
export const deleteChannel: DecideAuthorized<'channel.delete'> = async (group, command) => {
  const { channel, actor } = command;
  await group.db.deleteFrom('streams').where('channel_id', '=', channel.id).execute();
  const event = group.append(channel, actor, { type: 'channel.delete' });
  await setColumns(group, channel, { deleted_at: group.nowMs });
  return accepted({}, announced(channel, 'deleted', event));
};

async function changeChannel(
  group: GroupState,
  {
    channel,
    actor,
    method,
  }: CommandOf<'channel.update' | 'channel.archive' | 'channel.unarchive'> & Authorized,
  change: Partial<ChannelsTable>,
) {
  const isArchived = method === 'channel.archive';
  const ended = isArchived ? await interruptStreams(group, channel, ofAll) : [];
  await setColumns(group, channel, change);
  const type = isArchived ? method : 'channel.update';
  const event = group.append(channel, actor, () => ({ type, channel: channelOf(channel) }));
  return accepted(
    { channel: channelOf(channel) },
    ...ended,
    isArchived ? announced(channel, 'archived', event) : event,
  );
}

async function setColumns(
  group: GroupState,
  channel: ChannelWithHead,
  change: Partial<ChannelsTable>,
): Promise<void> {
  await group.db.updateTable('channels').set(change).where('id', '=', channel.id).execute();
  Object.assign(channel, change);
}
