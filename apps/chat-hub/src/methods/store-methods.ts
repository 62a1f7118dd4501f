import type { ReadMethod, WriteMethod } from '@openclaw/chat-store';
import type { ParamsOf } from '@openclaw/protocol';
import type { Answer, Caller } from '../calls/handler.ts';
import type { MethodDeps } from './method-deps.ts';

/**
 * Shared reads have their own queue at the store, under a name that no agent has, so that no agent's reads delay them.
 */
export const readersOf = (channelId: string): string => `readers of ${channelId}`;

/** The handler of a method that only changes the log. */
export function writes<M extends WriteMethod>({ writer }: MethodDeps, method: M) {
  return (caller: Caller, params: ParamsOf<M>) => writer.write(caller, method, params);
}

/** The handler of a method that only reads the store: rights and rows come from one snapshot. */
export function reads<M extends ReadMethod>({ store }: MethodDeps, method: M) {
  return async (caller: Caller, params: ParamsOf<M>): Promise<Answer<M>> => {
    const read = await store.readJson(caller.identity, method, params);
    return read.ok ? { ok: true, resultBytes: read.json } : read;
  };
}
