import { refuse, type Actor, type Refusal } from '../../commands.ts';
import { kindOf, readKind, type MemberRow } from '../agents.ts';
import type { GroupState } from '../group-state.ts';
import { memberOf } from '../objects.ts';
import type { ChannelWithHead, MembersTable } from '../tables.ts';
import { accepted, agentKindOf, dbOf, loadAuthorized, type Decide } from './decision.ts';

/** Anyone may join a public channel; only an admin may join a private one. */
export const joinChannel: Decide<'channel.join'> = async (group, { actor, params }) => {
  const loaded = await loadAuthorized(group, actor, params.channelId, 'anyone', 'even archived');
  if (!loaded.ok) return loaded;
  const { channel } = loaded;
  const known = await findMember(group, channel.id, actor.agentId);
  if (known) return accepted({ member: memberOf(known) });
  if (channel.archived_at !== null) return refuse('archived', `${channel.id} is archived`);
  const fixed = refuseFixed(channel);
  if (fixed) return fixed;
  const { member, event } = await insertMember(group, channel, actor, {
    agent_id: actor.agentId,
    role: 'member',
    display_name: null,
    kind: agentKindOf(actor),
  });
  return accepted({ member: memberOf(member) }, event);
};

/** Adding a member again changes nothing. */
export const addMember: Decide<'member.add'> = async (group, { actor, params }) => {
  const loaded = await loadAuthorized(group, actor, params.channelId, 'owner');
  if (!loaded.ok) return loaded;
  const { channel } = loaded;
  const fixed = refuseFixed(channel);
  if (fixed) return fixed;
  const known = await findMember(group, channel.id, params.agentId);
  if (known) return accepted({ member: memberOf(known) });
  const { agentId, role, displayName } = params;
  const kind = await readKind(dbOf(group), agentId);
  const fields = { agent_id: agentId, role, display_name: displayName, kind };
  const { member, event } = await insertMember(group, channel, actor, fields, [agentId]);
  return accepted({ member: memberOf(member) }, event);
};

/** Allowed in an archived channel too. */
export const leaveChannel: Decide<'channel.leave'> = async (group, { actor, params }) => {
  const loaded = await loadAuthorized(group, actor, params.channelId, 'member', 'even archived');
  if (!loaded.ok) return loaded;
  const removed = await removeFrom(group, loaded.channel, actor, actor.agentId);
  return removed.ok ? accepted({}, removed.event) : removed;
};

/** Removing oneself is leaving, which any member may do. */
export const removeMember: Decide<'member.remove'> = async (group, { actor, params }) => {
  const isSelf = params.agentId === actor.agentId;
  const from = isSelf ? 'member' : 'owner';
  const loaded = await loadAuthorized(group, actor, params.channelId, from, 'even archived');
  if (!loaded.ok) return loaded;
  const removed = await removeFrom(group, loaded.channel, actor, params.agentId);
  return removed.ok ? accepted({}, removed.event) : removed;
};

/** Only owners change roles; a member may change its own display name. */
export const updateMember: Decide<'member.update'> = async (group, { actor, params }) => {
  const isOwnName = params.agentId === actor.agentId && params.role === undefined;
  const from = isOwnName ? 'member' : 'owner';
  const loaded = await loadAuthorized(group, actor, params.channelId, from);
  if (!loaded.ok) return loaded;
  const { channel } = loaded;
  const known = await findMember(group, channel.id, params.agentId);
  if (!known) return refuse('not_found', `${params.agentId} is not a member of ${channel.id}`);
  const { role = known.role, displayName = known.display_name } = params;
  if (role === known.role && displayName === known.display_name) {
    return accepted({ member: memberOf(known) });
  }
  const fixed = refuseFixed(channel);
  if (fixed) return fixed;
  if (role !== 'owner' && (await isLastOwner(group, known))) return refuseLastOwner(known);
  const member: MemberRow = { ...known, role, display_name: displayName };
  await dbOf(group)
    .updateTable('members')
    .set({ role, display_name: displayName })
    .where('channel_id', '=', channel.id)
    .where('agent_id', '=', params.agentId)
    .execute();
  const event = group.append(channel, {
    sender: actor,
    event: () => ({
      type: 'channel.member.update',
      channelId: channel.id,
      member: memberOf(member),
    }),
  });
  return accepted({ member: memberOf(member) }, event);
};

function findMember(
  group: GroupState,
  channelId: string,
  agentId: string,
): Promise<MemberRow | undefined> {
  return dbOf(group)
    .selectFrom('members')
    .selectAll()
    .select(kindOf('members.agent_id').as('kind'))
    .where('channel_id', '=', channelId)
    .where('agent_id', '=', agentId)
    .executeTakeFirst();
}

function refuseFixed(channel: ChannelWithHead): Refusal | null {
  return channel.kind === 'direct'
    ? refuse('forbidden', 'the members of a direct channel are fixed')
    : null;
}

const refuseLastOwner = (member: MembersTable) =>
  refuse('conflict', `${member.agent_id} is the last owner of ${member.channel_id}`);

async function isLastOwner(group: GroupState, member: MembersTable): Promise<boolean> {
  if (member.role !== 'owner') return false;
  const other = await dbOf(group)
    .selectFrom('members')
    .select('agent_id')
    .where('channel_id', '=', member.channel_id)
    .where('role', '=', 'owner')
    .where('agent_id', '<>', member.agent_id)
    .limit(1)
    .executeTakeFirst();
  return other === undefined;
}

async function insertMember(
  group: GroupState,
  channel: ChannelWithHead,
  sender: Actor,
  { kind, ...fields }: Omit<MemberRow, 'channel_id' | 'joined_at'>,
  notify: readonly string[] = [],
) {
  const row: MembersTable = { ...fields, channel_id: channel.id, joined_at: group.nowMs };
  await dbOf(group).insertInto('members').values(row).execute();
  group.addAgent(row.agent_id);
  const member: MemberRow = { ...row, kind };
  const event = group.append(channel, {
    sender,
    notify,
    event: () => ({ type: 'channel.member.join', channelId: channel.id, member: memberOf(member) }),
  });
  return { member, event };
}

async function removeFrom(
  group: GroupState,
  channel: ChannelWithHead,
  sender: Actor,
  agentId: string,
) {
  const fixed = refuseFixed(channel);
  if (fixed) return fixed;
  const member = await findMember(group, channel.id, agentId);
  if (!member) return refuse('not_found', `${agentId} is not a member of ${channel.id}`);
  if (await isLastOwner(group, member)) return refuseLastOwner(member);
  await dbOf(group)
    .deleteFrom('members')
    .where('channel_id', '=', channel.id)
    .where('agent_id', '=', agentId)
    .execute();
  const event = group.append(channel, {
    sender,
    notify: agentId === sender.agentId ? [] : [agentId],
    event: () => ({
      type: 'channel.member.leave',
      channelId: channel.id,
      member: memberOf(member),
    }),
  });
  return { ok: true, event } as const;
}
