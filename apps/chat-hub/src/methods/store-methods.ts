import type { Actor, ChatStore, ReadMethod, WriteMethod } from '@openclaw/chat-store';
import type { ParamsOf } from '@openclaw/protocol';
import type { Answer, Caller } from '../calls/handler.ts';
import type { Publisher } from '../channels/publisher.ts';

/** The dependencies of a method that changes the log. */
export interface WriteDeps {
  readonly publisher: Pick<Publisher, 'commit'>;
}

/** The dependencies of a method that reads the store. */
export interface ReadDeps {
  readonly store: Pick<ChatStore, 'readJson'>;
}

/** Reads shared by all readers, whose rights were checked before: cached rows depend on no reader's rights. */
export const asHub: Actor = { agentId: 'hub', isAdmin: true };

/**
 * The name under which the shared reads of a channel queue at the store. It equals no agent's id, so they never wait
 * behind other reads of the agent that happened to start them.
 */
export const readersOf = (channelId: string): string => `readers of ${channelId}`;

/** The handler of a method that only changes the log. */
export function writes<M extends WriteMethod>({ publisher }: WriteDeps, method: M) {
  return (caller: Caller, params: ParamsOf<M>) => publisher.commit(caller, method, params);
}

/** The handler of a method that only reads the store: rights and rows come from one snapshot. */
export function reads<M extends ReadMethod>({ store }: ReadDeps, method: M) {
  return async (caller: Caller, params: ParamsOf<M>): Promise<Answer<M>> => {
    const read = await store.readJson(caller.identity, method, params);
    return read.ok ? { ok: true, resultBytes: read.json } : read;
  };
}
