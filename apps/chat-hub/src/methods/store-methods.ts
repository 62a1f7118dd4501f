import type { Actor, ReadMethod, WriteMethod } from '@openclaw/chat-store';
import type { ParamsOf } from '@openclaw/protocol';
import type { Answer, Caller } from '../calls/handler.ts';
import type { MethodDeps } from './method-deps.ts';

/**
 * The actor of reads that many readers share. Each reader's rights are checked before, so the rows are the same for
 * all.
 */
export const asHub: Actor = { agentId: 'hub', isAdmin: true };

/**
 * Shared reads have their own queue at the store, under a name that no agent has, so that no agent's reads delay them.
 */
export const readersOf = (channelId: string): string => `readers of ${channelId}`;

/** The handler of a method that only changes the log. */
export function writes<M extends WriteMethod>({ publisher }: MethodDeps, method: M) {
  return (caller: Caller, params: ParamsOf<M>) => publisher.commit(caller, method, params);
}

/** The handler of a method that only reads the store: rights and rows come from one snapshot. */
export function reads<M extends ReadMethod>({ store }: MethodDeps, method: M) {
  return async (caller: Caller, params: ParamsOf<M>): Promise<Answer<M>> => {
    const read = await store.readJson(caller.identity, method, params);
    return read.ok ? { ok: true, resultBytes: read.json } : read;
  };
}
