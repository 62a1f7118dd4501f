import { methods, type ParamsInputOf } from '@openclaw/protocol';
import {
  directChannelId,
  type Command,
  type Outcome,
  type WriteMethod,
} from '@openclaw/chat-store';

/** A write, as data. */
export type Call = Command;

/** A call that was made, and what became of it. Times are places in one order of beginnings and ends. */
export interface MadeCall {
  readonly call: Call;
  /** Which life of which hub: a hub that was killed and started again is another. */
  readonly hub: string;
  readonly beganAt: number;
  /** Infinity: nothing was heard of it. */
  readonly endedAt: number;
  /** Null: its hub was killed, or the answer was that it may have happened. */
  readonly outcome: Outcome | null;
}

/** The channel that a call is about. */
export function channelOf({ method, actor, params }: Call): string {
  if (method === 'direct.send') return directChannelId(actor.agentId, params.agentId);
  if (params.channelId === null) throw new Error('the model names its channels');
  return params.channelId;
}

/** A call with the defaults of its params. */
export function callOf<M extends WriteMethod>(
  agentId: string,
  method: M,
  params: ParamsInputOf<M>,
): Call {
  const actor = { agentId, isAdmin: agentId.startsWith('admin') };
  return { actor, method, params: methods[method].params.parse(params) } as Call;
}
