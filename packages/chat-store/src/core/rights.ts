import { refuse, type Actor, type Refusal } from '../commands.ts';
import type { ChannelsTable, MembersTable } from './tables.ts';

export interface Needs {
  /** `anyone`: every caller that may know that the channel exists. */
  readonly from: 'anyone' | 'member' | 'owner';
  readonly inArchived: boolean;
}

/** Null for an agent that is not a member. */
export type Role = MembersTable['role'] | null;

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

/** True if the actor's token is limited to other channels. */
export function isOutOfBounds(actor: Actor, channelId: string): boolean {
  return Array.isArray(actor.channels) && !actor.channels.includes(channelId);
}
