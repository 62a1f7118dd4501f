import { ChatStoreError, type Access, type ChatStore } from '@openclaw/chat-store';
import { refuse, refuseFrozen, type Refusal } from '@openclaw/protocol';
import type { Caller } from '../calls/handler.ts';
import { isWithinBounds, type Identity } from '../edge/identity.ts';

export function outOfBounds(caller: Caller, channelId: string): Refusal | null {
  return isWithinBounds(caller.identity, channelId)
    ? null
    : refuse('forbidden', 'the token is not for this channel');
}

/**
 * Returns null when the caller is a member, else the refusal. For writes, also refuses an agent in a frozen channel.
 * While the store is away, a socket that is live in the channel passes. Call it after the answer was read. Otherwise
 * the answer could hold events from after the caller's removal.
 */
export async function notMember(
  store: Pick<ChatStore, 'access'>,
  caller: Caller,
  channelId: string,
  use: 'reads' | 'writes' | 'writes unless archived' = 'reads',
): Promise<Refusal | null> {
  const bounds = outOfBounds(caller, channelId);
  if (bounds) return bounds;
  const { agentId, kind } = caller.identity;
  try {
    const access = (await store.access(agentId, [channelId])).get(channelId);
    const code = access ? whyNotMember(access, caller.identity) : 'not_found';
    if (code !== null) return refuseOutsider(code);
    if (use === 'reads') return null;
    if (kind === 'agent' && access?.frozen) return refuseFrozen('channel');
    const isReadOnly = use === 'writes unless archived' && access?.archived;
    return isReadOnly ? refuse('archived', 'the channel is archived') : null;
  } catch (error) {
    if (isAway(error) && caller.session?.rooms.has(channelId)) return null;
    throw error;
  }
}

/**
 * Null if the agent may read, as a member or as an admin. An admin reads a private channel only with `observesPrivate`.
 * Outsiders learn nothing about a private channel.
 */
export function whyNotMember(
  { role, kind }: Pick<Access, 'role' | 'kind'>,
  { isAdmin, observesPrivate }: Pick<Identity, 'isAdmin' | 'observesPrivate'>,
): 'forbidden' | 'not_found' | null {
  if (role !== null || (isAdmin && (observesPrivate || kind === 'public'))) return null;
  return kind === 'public' ? 'forbidden' : 'not_found';
}

const outsiderTexts = {
  forbidden: 'only members may do this',
  not_found: 'there is no such channel',
} as const;

export function refuseOutsider(code: keyof typeof outsiderTexts): Refusal {
  return refuse(code, outsiderTexts[code]);
}

export function isAway(error: unknown): boolean {
  return error instanceof ChatStoreError && error.code === 'unavailable';
}
