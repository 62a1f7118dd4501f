import { methods, type ParamsInputOf } from '@openclaw/protocol';
import {
  directChannelId,
  type Command,
  type Outcome,
  type WriteMethod,
} from '@openclaw/chat-store';

/**
 * The model leaves out claims, because they depend on the time. It also leaves out freezes and budgets, which are for
 * other kinds of senders, and inboxes, which are no part of a log.
 */
export type Call = Exclude<
  Command,
  {
    readonly method:
      | 'message.finish'
      | 'claim'
      | 'claim.release'
      | 'freeze'
      | 'unfreeze'
      | 'budget.set'
      | 'expire'
      | 'inbox.ack'
      | `ask.${string}`
      | `question.${string}`;
  }
>;

/** `beganAt` and `endedAt` are positions in one sequence. It holds the beginnings and ends of all calls. */
export interface MadeCall {
  readonly call: Call;
  /** The hub process of this name made the call. A restarted hub has another name. */
  readonly hub: string;
  readonly beganAt: number;
  readonly endedAt: number;
  /**
   * Null when the outcome is unknown: the hub was killed before it answered, or answered that the write may be
   * committed.
   */
  readonly outcome: Outcome | null;
}

export function channelOf({ method, actor, params }: Call): string {
  if (method === 'direct.send') return directChannelId(actor.agentId, params.agentId);
  if (params.channelId === null) throw new Error('the model names its channels');
  return params.channelId;
}

export function callOf<M extends WriteMethod>(
  agentId: string,
  method: M,
  params: ParamsInputOf<M>,
): Call {
  const actor = { agentId, isAdmin: agentId.startsWith('admin') };
  return { actor, method, params: methods[method].params.parse(params) } as Call;
}
