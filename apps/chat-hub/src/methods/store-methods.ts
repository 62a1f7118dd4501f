import type { ChatStore, ReadMethod, WriteMethod } from '@openclaw/chat-store';
import { refuse, type ParamsOf, type Refusal } from '@openclaw/protocol';
import type { Answer, Caller } from '../calls/handler.ts';
import type { MethodDeps } from './method-deps.ts';
import { notMember } from './rights.ts';

/**
 * The members of a channel share some reads. These reads have a separate queue at the store, so no agent's own reads
 * delay them. The queue's name cannot be an agent's id, because ids contain no spaces.
 */
export const readersOf = (channelId: string): string => `readers of ${channelId}`;

export function writes<M extends WriteMethod>({ writer }: MethodDeps, method: M) {
  return (caller: Caller, params: ParamsOf<M>) => writer.write(caller, method, params);
}

/** Rights and rows come from one snapshot. */
export function reads<M extends ReadMethod>({ store }: MethodDeps, method: M) {
  return async (caller: Caller, params: ParamsOf<M>): Promise<Answer<M>> => {
    const read = await store.readJson(caller.identity, method, params);
    if (!read.ok) return read;
    return (
      (await refuseObserver(store, caller, method, params)) ?? { ok: true, resultBytes: read.json }
    );
  };
}

/**
 * On some hubs, an admin may not read private channels of which it is no member. The store does not check this. Call
 * this function after the read: an admin that is removed between an earlier check and the read would get the answer.
 */
async function refuseObserver(
  store: Pick<ChatStore, 'access'>,
  caller: Caller,
  method: ReadMethod,
  params: object,
): Promise<Refusal | null> {
  const { isAdmin, observesPrivate } = caller.identity;
  if (!isAdmin || observesPrivate) return null;
  const { channelId, agentId } = params as {
    readonly channelId?: string | null;
    readonly agentId?: string | null;
  };
  if (method === 'inbox.read' && agentId != null && agentId !== caller.identity.agentId)
    return refuse('forbidden', 'on this hub, admins do not read the inboxes of others');
  if (channelId == null) return null;
  return notMember(store, caller, channelId);
}
