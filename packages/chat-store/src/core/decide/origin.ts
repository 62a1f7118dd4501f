import type { Origin, ParamsOf } from '@openclaw/protocol';
import { limits } from '@openclaw/protocol/wire';
import { refuse, type Actor, type Refusal } from '../../commands.ts';
import type { Prefetched } from '../prefetch.ts';
import { authorize } from '../rights.ts';

type Trace = Pick<Origin, 'cause' | 'taint'>;

/**
 * Refuses a message if the sender cannot read a message that it names, or if it replies to a message of another
 * channel. The prefetch has read the named messages and the sender's role in their channels.
 */
export function traceCauses(
  prefetched: Prefetched,
  actor: Actor,
  channelId: string,
  params: Pick<ParamsOf<'message.send'>, 'replyTo' | 'cause' | 'taint'>,
): (Trace & { readonly ok: true }) | Refusal {
  const { replyTo } = params;
  if (replyTo === null && params.cause.length === 0) {
    return { ok: true, cause: [], taint: [...new Set(params.taint)] };
  }
  const cause = [...new Set(replyTo === null ? params.cause : [replyTo, ...params.cause])];
  const taint = new Set(params.taint);
  for (const messageId of cause) {
    const found = prefetched.message(actor.agentId, messageId);
    const isReadable =
      found !== undefined &&
      authorize(actor, found.channel_id, found, found.role, {
        from: 'member',
        inArchived: true,
      }) === null;
    if (!isReadable || (messageId === replyTo && found.channel_id !== channelId)) {
      return refuse('not_found', `there is no message ${messageId}`);
    }
    for (const passedOn of JSON.parse(found.taint ?? '[]') as string[]) taint.add(passedOn);
  }
  return taint.size > limits.taints
    ? refuse('too_large', `the message and its causes have over ${limits.taints} taints`)
    : { ok: true, cause, taint: [...taint] };
}

/** Undefined if the message came over a socket, and has no cause, no taint and no principal. */
export function originOf(
  { via = 'ws', onBehalfOf = null }: Actor,
  { cause, taint }: Trace,
): Origin | undefined {
  const isPlain = via === 'ws' && onBehalfOf === null && cause.length === 0 && taint.length === 0;
  return isPlain ? undefined : { via, onBehalfOf, cause, taint };
}
