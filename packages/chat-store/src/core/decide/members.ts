import { interruptStreams, ofAgent } from './interruptions.ts';
import { refuse, type Actor, type CommandOf, type Refusal } from '../../commands.ts';
import { kindOf, readKind, type MemberRow } from '../agents.ts';
import type { GroupState } from '../group-state.ts';
import { memberOf } from '../objects.ts';
import type { ChannelWithHead, MembersTable } from '../tables.ts';
import { renewInboxItems } from './inbox.ts';
import { accepted, agentKindOf, type Authorized, type DecideAuthorized } from './decision.ts';

export const joinChannel: DecideAuthorized<'channel.join'> = async (group, command) => {
  const { actor, channel } = command;
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
  return accepted({ member }, event);
};

export const addMember: DecideAuthorized<'member.add'> = async (group, command) => {
  const { actor, channel, params } = command;
  const fixed = refuseFixed(channel);
  if (fixed) return fixed;
  const known = await findMember(group, channel.id, params.agentId);
  if (known) return accepted({ member: memberOf(known) });
  const { agentId, role, displayName } = params;
  const kind = await readKind(group.db, agentId);
  const fields = { agent_id: agentId, role, display_name: displayName, kind };
  const { member, event } = await insertMember(group, channel, actor, fields);
  return accepted({ member }, event);
};

export const leaveChannel: DecideAuthorized<'channel.leave'> = (group, command) =>
  endMembership(group, command, command.actor.agentId);

export const removeMember: DecideAuthorized<'member.remove'> = (group, command) =>
  endMembership(group, command, command.params.agentId);

export const updateMember: DecideAuthorized<'member.update'> = async (group, command) => {
  const { actor, channel, params } = command;
  const known = await findMember(group, channel.id, params.agentId);
  if (!known) return refuse('not_found', `${params.agentId} is not a member of ${channel.id}`);
  const { role = known.role, displayName = known.display_name } = params;
  if (role === known.role && displayName === known.display_name) {
    return accepted({ member: memberOf(known) });
  }
  const fixed = refuseFixed(channel);
  if (fixed) return fixed;
  if (role !== 'owner' && (await isLastOwner(group, known))) return refuseLastOwner(known);
  const change = { role, display_name: displayName };
  await group.db
    .updateTable('members')
    .set(change)
    .where((eb) => eb.and({ channel_id: channel.id, agent_id: params.agentId }))
    .execute();
  const member = memberOf({ ...known, ...change });
  const event = group.append(channel, actor, { type: 'channel.member.update', member });
  return accepted({ member }, event);
};

function findMember(
  group: GroupState,
  channelId: string,
  agentId: string,
): Promise<MemberRow | undefined> {
  return group.db
    .selectFrom('members')
    .selectAll()
    .select(kindOf('members.agent_id').as('kind'))
    .where((eb) => eb.and({ channel_id: channelId, agent_id: agentId }))
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
  const other = await group.db
    .selectFrom('members')
    .select('agent_id')
    .where((eb) => eb.and({ channel_id: member.channel_id, role: 'owner' }))
    .where('agent_id', '<>', member.agent_id)
    .limit(1)
    .executeTakeFirst();
  return other === undefined;
}

/** The agent's own topic gets the join too, because its other connections must learn of the channel. */
export async function insertMember(
  group: GroupState,
  channel: ChannelWithHead,
  sender: Actor,
  { kind, ...fields }: Omit<MemberRow, 'channel_id' | 'joined_at' | 'joined_seq' | 'inbox_seq'>,
) {
  const row: MembersTable = {
    ...fields,
    channel_id: channel.id,
    joined_at: group.nowMs,
    joined_seq: channel.head + 1,
    inbox_seq: 0,
  };
  await group.db.insertInto('members').values(row).execute();
  if (channel.head > 0) await renewInboxItems(group, channel.id, row.agent_id);
  group.addAgent(row.agent_id);
  const member = memberOf({ ...row, kind });
  const joined = { type: 'channel.member.join', member } as const;
  return { member, event: group.append(channel, sender, joined, { notify: [row.agent_id] }) };
}

async function endMembership(
  group: GroupState,
  { actor, channel }: CommandOf<'channel.leave' | 'member.remove'> & Authorized,
  agentId: string,
) {
  const fixed = refuseFixed(channel);
  if (fixed) return fixed;
  const member = await findMember(group, channel.id, agentId);
  if (!member) return refuse('not_found', `${agentId} is not a member of ${channel.id}`);
  if (await isLastOwner(group, member)) return refuseLastOwner(member);
  const ended = await interruptStreams(group, channel, ofAgent(agentId));
  await group.db
    .deleteFrom('members')
    .where((eb) => eb.and({ channel_id: channel.id, agent_id: agentId }))
    .execute();
  const left = { type: 'channel.member.leave', member: memberOf(member) } as const;
  return accepted({}, ...ended, group.append(channel, actor, left, { notify: [agentId] }));
}
