import type { AgentKind } from '@openclaw/protocol';
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
import { authorize, isOutOfBounds, type Needs, type Role } from '../rights.ts';
import type { ChannelWithHead } from '../tables.ts';

/** Runs in the group's transaction. All checks must come before the first write. */
export type Decide<M extends WriteMethod> = (
  group: GroupState,
  command: CommandOf<M>,
) => Promise<Outcome<M>>;

export interface Authorized {
  readonly channel: ChannelWithHead;
  readonly role: Role;
}

export type DecideAuthorized<M extends WriteMethod> = (
  group: GroupState,
  command: CommandOf<M> & Authorized,
) => Promise<Outcome<M>>;

export function accepted<R>(result: R, ...events: readonly AppendedEvent[]) {
  return { ok: true, result, events } as const;
}

export async function loadAuthorized(
  group: GroupState,
  actor: Actor,
  channelId: string,
  needs: Needs,
): Promise<({ readonly ok: true } & Authorized) | Refusal> {
  const channel = group.channel(channelId);
  const member = channel
    ? await group.db
        .selectFrom('members')
        .select('role')
        .where((eb) => eb.and({ channel_id: channelId, agent_id: actor.agentId }))
        .executeTakeFirst()
    : undefined;
  const role = member?.role ?? null;
  const denied = authorize(actor, channelId, channel, role, needs);
  if (denied) return denied;
  if (!channel) return refuse('not_found', `there is no channel ${channelId}`);
  return { ok: true, channel, role };
}

/**
 * Authorizes a command that names an ask or question by its id. If the caller must not learn of the channel, refuses
 * with `not_found` and the text in `unknown`.
 */
export async function loadPlaced(
  group: GroupState,
  { actor, channelId }: Pick<CommandOf<WriteMethod>, 'actor' | 'channelId'>,
  unknown: string,
): Promise<({ readonly ok: true } & Authorized) | Refusal> {
  if (channelId === undefined || isOutOfBounds(actor, channelId)) {
    return refuse('not_found', unknown);
  }
  const needs = { from: 'member', inArchived: false } as const;
  const loaded = await loadAuthorized(group, actor, channelId, needs);
  return !loaded.ok && loaded.code === 'not_found' ? refuse('not_found', unknown) : loaded;
}

export function agentKindOf({ kind }: Actor): AgentKind | null {
  return kind === 'hub' ? null : (kind ?? null);
}
