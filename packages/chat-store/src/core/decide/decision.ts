import type { AgentKind } from '@openclaw/protocol';
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
import { authorize, type Needs, type Role } from '../rights.ts';
import type { ChannelWithHead, Tables } from '../tables.ts';

/** Decides one command in the group's transaction, statement by statement. All checks come before the first write. */
export type Decide<M extends WriteMethod> = (
  group: GroupState,
  command: CommandOf<M>,
) => Promise<Outcome<M>>;

/** The group's transaction as Kysely. */
export function dbOf(group: GroupState): Kysely<Tables> {
  return group.transaction.db;
}

/** The outcome of a command that is not refused, with the events it appended in the order of their seqs. */
export function accepted<R>(result: R, ...events: readonly AppendedEvent[]) {
  return { ok: true, result, events } as const;
}

/**
 * Loads the channel of a command and the actor's role. Returns a refusal if the actor lacks the rights, or if the
 * channel is archived and the method is not allowed there.
 */
export async function loadAuthorized(
  group: GroupState,
  actor: Actor,
  channelId: string,
  from: Needs['from'],
  archived?: 'even archived',
): Promise<
  { readonly ok: true; readonly channel: ChannelWithHead; readonly role: Role } | Refusal
> {
  const channel = group.channel(channelId);
  const role = channel ? await findRole(group, channelId, actor.agentId) : null;
  const denied = authorize(actor, channelId, channel, role, {
    from,
    inArchived: archived !== undefined,
  });
  if (denied) return denied;
  if (!channel) return refuse('not_found', `there is no channel ${channelId}`);
  return { ok: true, channel, role };
}

async function findRole(group: GroupState, channelId: string, agentId: string): Promise<Role> {
  const member = await dbOf(group)
    .selectFrom('members')
    .select('role')
    .where('channel_id', '=', channelId)
    .where('agent_id', '=', agentId)
    .executeTakeFirst();
  return member?.role ?? null;
}

/** The kind of an actor, as a member's kind. */
export function agentKindOf({ kind }: Actor): AgentKind | null {
  return kind === 'hub' ? null : (kind ?? null);
}
