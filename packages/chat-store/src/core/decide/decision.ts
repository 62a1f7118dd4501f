import type { Kysely } from 'kysely';
import {
  refuse,
  type Actor,
  type AppendedEvent,
  type CommandOf,
  type Outcome,
  type Refusal,
  type WriteMethod,
} from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import { judge, type Needs, type Role } from '../rights.ts';
import type { ChannelWithHead, MembersTable, Tables } from '../tables.ts';

/** Decides one of the rarer commands, statement by statement, in the group's transaction: checks all, then writes. */
export type Decide<M extends WriteMethod> = (
  group: GroupState,
  command: CommandOf<M>,
) => Promise<Outcome<M>>;

/** The transaction as Kysely. */
export function dbOf(group: GroupState): Kysely<Tables> {
  return group.transaction.db;
}

/** The outcome of a command that is not refused, with the events it appended in the order of their seqs. */
export function accepted<R>(result: R, ...events: readonly AppendedEvent[]) {
  return { ok: true, result, events } as const;
}

/** The channel a command is about, if its actor may do it there. */
export async function enter(
  group: GroupState,
  actor: Actor,
  channelId: string,
  needs: Needs,
): Promise<
  { readonly ok: true; readonly channel: ChannelWithHead; readonly role: Role } | Refusal
> {
  const channel = group.channel(channelId);
  const role = channel ? ((await findMember(group, channelId, actor.agentId))?.role ?? null) : null;
  const denied = judge(actor, channelId, channel, role, needs);
  if (denied) return denied;
  if (!channel) return refuse('not_found', `there is no channel ${channelId}`);
  return { ok: true, channel, role };
}

/** An agent's membership. */
export function findMember(
  group: GroupState,
  channelId: string,
  agentId: string,
): Promise<MembersTable | undefined> {
  return dbOf(group)
    .selectFrom('members')
    .selectAll()
    .where('channel_id', '=', channelId)
    .where('agent_id', '=', agentId)
    .executeTakeFirst();
}
