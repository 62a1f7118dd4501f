import { refuse, type Actor, type Refusal } from '../commands.ts';
import type { ChannelsTable, MembersTable } from './tables.ts';

/** What a method needs of its caller. */
export interface Needs {
  /** `anyone`: whoever may know of the channel. */
  readonly from: 'anyone' | 'member' | 'owner';
  /** May it be done in an archived channel? */
  readonly inArchived: boolean;
}

/** A member's role; null for an outsider. */
export type Role = MembersTable['role'] | null;

/** The table of rights: may this actor, in that role, do what needs so much? Null means yes. */
export function authorize(
  actor: Actor,
  channelId: string,
  channel: Pick<ChannelsTable, 'kind' | 'archived_at' | 'deleted_at'> | undefined,
  role: Role,
  needs: Needs,
): Refusal | null {
  if (isOutOfBounds(actor, channelId)) {
    return refuse('forbidden', `the token is not for channel ${channelId}`);
  }
  const isKnown = role !== null || actor.isAdmin || channel?.kind === 'public';
  if (!channel || channel.deleted_at !== null || !isKnown) {
    return refuse('not_found', `there is no channel ${channelId}`);
  }
  if (!actor.isAdmin) {
    if (needs.from !== 'anyone' && role === null) {
      return refuse('forbidden', `${actor.agentId} is not a member of ${channelId}`);
    }
    if (needs.from === 'owner' && role !== 'owner') {
      return refuse('forbidden', `${actor.agentId} does not own ${channelId}`);
    }
  }
  if (!needs.inArchived && channel.archived_at !== null) {
    return refuse('archived', `channel ${channelId} is archived`);
  }
  return null;
}

/** Does the actor's token name its channels, and not this one? */
export function isOutOfBounds(actor: Actor, channelId: string): boolean {
  return Array.isArray(actor.channels) && !actor.channels.includes(channelId);
}
