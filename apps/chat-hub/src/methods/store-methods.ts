import type { Actor, ChatStore, ReadMethod, WriteMethod } from '@openclaw/chat-store';
import type { Discontinuity, ParamsOf } from '@openclaw/protocol';
import type { Answer, Caller } from '../calls/handler.ts';
import type { Limiter } from '../calls/invoke.ts';
import type { HubCache } from '../channels/hub-cache.ts';
import type { Publisher } from '../channels/publisher.ts';
import type { Rooms } from '../channels/rooms.ts';
import type { TimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import type { PresenceFeed } from '../presence/presence-feed.ts';
import type { TypingFeed } from '../presence/typing-feed.ts';

/** The parts of the hub that its methods use. */
export interface MethodDeps {
  readonly store: ChatStore;
  readonly cache: HubCache;
  readonly publisher: Publisher;
  readonly limiter: Pick<Limiter, 'consume'>;
  readonly rooms: Rooms;
  readonly presence: PresenceFeed;
  readonly typing: TypingFeed;
  readonly slices: TimeSlicedQueue;
  /** Called for each topic that continues after a seq: true when its missed events are in the answer. */
  readonly onResume?: (isResumed: boolean) => void;
  /** Called for each topic whose next events were trimmed. */
  readonly onDiscontinuity?: (reason: Discontinuity['reason']) => void;
}

/** Reads shared by all readers, whose rights were checked before: cached rows depend on no reader's rights. */
export const asHub: Actor = { agentId: 'hub', isAdmin: true };

/** Shared reads queue at the store under a name that no agent has, so that they wait behind no agent's reads. */
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
