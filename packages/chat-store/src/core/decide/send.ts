import { hash } from 'node:crypto';
import type { ParsedMentions, ResultOf } from '@openclaw/protocol';
import { isContentTooLarge, limits } from '@openclaw/protocol/wire';
import {
  refuse,
  type Command,
  type CommandOf,
  type Outcome,
  type Refusal,
} from '../../commands.ts';
import type { Prefetch } from '../group-statements.ts';
import { budgetOfRow, noBudget } from '../budgets.ts';
import { collectPrefetch, type Prefetched } from '../prefetch.ts';
import type { GroupState } from '../group-state.ts';
import { ledgerRowOf } from '../ledger.ts';
import { newId } from '../new-id.ts';
import { everyone } from '../tables.ts';
import { encodeTurns } from '../turns.ts';
import { isOutOfBounds, authorize } from '../rights.ts';
import { announceExhausted, countTurn, refusalOfLoop } from './budgets.ts';
import { refuseUnmet, type Conditions } from './conditions.ts';
import { accepted } from './decision.ts';
import { refusalOfFrozen } from './freezes.ts';
import { fingerprint } from './repeats.ts';
import { mentionsOf, parsedOf, prefetchMentions } from './mentions.ts';
import { originOf, traceCauses } from './origin.ts';

type SendCommand = CommandOf<'message.send'> | CommandOf<'direct.send'>;

/**
 * A command that sends a message, with its channel. Most of the traffic is of this kind, so a run of sends is decided
 * from one prefetch.
 */
export type Send = SendCommand & {
  readonly channelId: string;
  /** The mentions in its text; null when the text is not to be parsed. */
  readonly parsed: ParsedMentions | null;
};

const posting = { from: 'member', inArchived: false } as const;

/** The two agents of a direct channel, as the column `pair` holds them. */
export function pairOf(a: string, b: string): string {
  return a < b ? `${a}\n${b}` : `${b}\n${a}`;
}

/** The id of two agents' direct channel, the same for both. Costs one hash. */
export function directChannelId(a: string, b: string): string {
  return `dm_${hash('sha256', pairOf(a, b)).slice(0, 32)}`;
}

/** The send of a command; null for any other command. */
export function sendOf(command: Command): Send | null {
  switch (command.method) {
    case 'message.send':
      return { ...command, channelId: command.params.channelId, parsed: parsedOf(command.params) };
    case 'direct.send': {
      const { actor, params } = command;
      const channelId = directChannelId(actor.agentId, params.agentId);
      return { ...command, channelId, parsed: parsedOf(params) };
    }
    default:
      return null;
  }
}

/** The prefetch of a run of messages. */
export function prefetchFor(sends: readonly Send[]): Prefetch {
  const collected = collectPrefetch();
  for (const send of sends) {
    const { channelId } = send;
    const { agentId } = send.actor;
    const { clientMessageId } = send.params;
    collected.member(channelId, agentId);
    collected.sender(channelId, agentId);
    if (clientMessageId !== null) collected.repeat(channelId, agentId, clientMessageId);
    const { replyTo, cause } = send.params;
    for (const messageId of cause) collected.message(agentId, messageId);
    if (replyTo !== null) collected.message(agentId, replyTo);
    prefetchMentions(collected, send);
    if (send.method !== 'message.send') continue;
    for (const mentioned of send.params.mentions) collected.member(channelId, mentioned);
    if (send.params.threadId !== null) collected.message(agentId, send.params.threadId);
  }
  return collected.toPrefetch();
}

/** Refuses messages that can be refused without a look-up. */
export function refuseSend(send: Send): Refusal | null {
  if (isContentTooLarge(send.params.content)) return refuse('too_large', 'the content is too long');
  if (send.params.taint.some((taint) => taint.length > limits.taintChars)) {
    return refuse('too_large', `a taint has over ${limits.taintChars} characters`);
  }
  if (send.method === 'direct.send' && send.params.agentId === send.actor.agentId) {
    return refuse('forbidden', 'a direct channel has two different members');
  }
  // The token's channels are checked before repeats, because a repeat must be within them too.
  return isOutOfBounds(send.actor, send.channelId)
    ? refuse('forbidden', 'the token is not for this channel')
    : null;
}

/**
 * Decides one message from the prefetched rows, without waiting for anything. `conditions` are null for a send that has
 * none.
 */
export function decideSend(
  group: GroupState,
  prefetched: Prefetched,
  send: Send,
  conditions: Conditions | null = null,
): Outcome<Send['method']> {
  const refusal = refuseSend(send);
  if (refusal) return refusal;
  const { agentId } = send.actor;
  const { content, clientMessageId, metadata, replyTo, cause, taint, stream } = send.params;
  const isDirect = send.method === 'direct.send';
  const threadId = isDirect ? null : send.params.threadId;
  const ownMentions = isDirect ? [] : send.params.mentions;
  const { mentions, mentionsAll, unreached } = mentionsOf(prefetched, send, ownMentions);
  const { channelId } = send;
  const channel = group.channel(channelId);
  const answer = (result: ResultOf<'message.send'>) =>
    isDirect ? { ...result, channelId } : result;

  let print: string | null = null;
  if (clientMessageId !== null && channel && channel.deleted_at === null) {
    // Absent params are left out: the fingerprint then equals that of earlier releases, so that a repeat across an
    // upgrade is recognized. Mentions in the text are left out too: a repeat may come over the other transport, whose
    // default differs.
    const hasOrigin = replyTo !== null || cause.length > 0 || taint.length > 0;
    const origin = hasOrigin ? [replyTo, cause, taint] : [];
    if (stream) origin.push('stream');
    print = fingerprint(send.method, content, threadId, ownMentions, metadata, ...origin);
    // Repeats are checked before membership: a sender that lost the answer learns that its message is stored, even if
    // the sender was removed or the channel was archived later. The first result holds nothing newer than the first
    // call.
    const first = prefetched.repeat(channelId, agentId, clientMessageId);
    if (first) {
      // A deletion removes the fingerprint; then only the id is compared.
      const isSame = first.fingerprint === null || first.fingerprint === print;
      if (!isSame || first.message_id === null) {
        return refuse('conflict', 'the clientMessageId was already used with other content');
      }
      const { message_id: messageId, seq, timestamp } = first;
      // A sender that was removed after the first call does not learn who is a member now.
      const isReader = send.actor.isAdmin || prefetched.role(channelId, agentId) !== null;
      const now = { duplicate: true, unreached: isReader ? unreached : [] };
      return accepted(answer({ messageId, seq, timestamp, ...now }));
    }
  }
  if (isDirect && !channel && send.actor.mayOpenDirects === false) {
    return refuse(
      'rate_limited',
      `${agentId} has reached its limit of new direct channels: try again later`,
    );
  }
  const traced = traceCauses(prefetched, send.actor, channelId, send.params);
  // Neither a frozen agent nor one that is paused opens a channel.
  const closed = isDirect && !channel ? refusalToOpen(group, send) : null;
  if (closed) return closed;
  // The message is refused, so no channel was created for it.
  if (isDirect && !channel && !traced.ok) return traced;
  const role = prefetched.role(channelId, agentId);
  const denied = authorize(send.actor, channelId, channel, role, posting);
  if (denied) return denied;
  if (!channel) return refuse('not_found', `there is no channel ${channelId}`);
  const frozen = refusalOfFrozen(send.actor, channel);
  if (frozen) return frozen;
  if (threadId !== null) {
    const root = prefetched.message(agentId, threadId);
    if (root?.channel_id !== channelId)
      return refuse('not_found', `there is no message ${threadId}`);
    if (root.thread_id !== null)
      return refuse('conflict', `message ${threadId} is a reply and cannot start a thread`);
  }

  if (!traced.ok) return traced;
  const addressed = addressedBy(prefetched, send, mentions);
  const root = threadId === null ? undefined : prefetched.message(agentId, threadId);
  const counted = countTurn(
    group,
    send.actor,
    {
      ...{ channel, threadId, turns: prefetched.turns(channelId, threadId) },
      ownBudget: root ? budgetOfRow(root) : noBudget,
    },
    addressed,
  );
  if (!counted.ok) return counted;
  const unmet = conditions && refuseUnmet(send, conditions);
  if (unmet) return unmet;
  prefetched.setTurns(channelId, threadId, counted.turns);

  // Those of a message that grows take effect with its end.
  const mentionedMembers = stream
    ? []
    : mentions.filter((to) => to !== agentId && prefetched.role(channelId, to) !== null);
  const id = newId(group.nowMs);
  const timestamp = group.nowMs;
  const event = group.append(
    channel,
    send.actor,
    (seq) => ({
      type: threadId === null ? 'channel.message' : 'thread.message',
      // JSON omits undefined fields. The reactions come last: see message-projection.ts.
      message: {
        id,
        channelId,
        seq,
        senderId: agentId,
        senderKind: send.actor.kind ?? null,
        state: stream ? 'streaming' : 'complete',
        content,
        timestamp,
        threadId,
        replyTo: replyTo ?? undefined,
        mentions,
        mentionsAll: mentionsAll || undefined,
        metadata,
        clientMessageId: clientMessageId ?? undefined,
        origin: originOf(send.actor, traced),
        editedAt: null,
        deletedAt: null,
        reactions: {},
      },
    }),
    { messageId: id, clientMessageId, fingerprint: print, notify: mentionedMembers },
  );
  const seq = channel.head;
  group.addMessage({
    channel_id: channelId,
    seq,
    id,
    sender_id: agentId,
    thread_id: threadId,
    text_seq: seq,
    ...prefetched.nextOrdinals(channelId, agentId),
    taint: traced.taint.length === 0 ? null : JSON.stringify(traced.taint),
    turns: encodeTurns(prefetched.turns(channelId, null)),
  });
  const place = { channel_id: channelId, thread_id: threadId, agent_id: agentId };
  const turn = stream ? null : ledgerRowOf(place, metadata, timestamp);
  if (turn) group.addTurn(turn);
  if (threadId !== null) {
    group.addReply({
      channel_id: channelId,
      thread_id: threadId,
      created_by: agentId,
      created_at: timestamp,
      last_seq: seq,
      turns: encodeTurns(counted.turns),
    });
  }
  if (clientMessageId !== null) {
    prefetched.remember({
      channel_id: channelId,
      seq,
      sender_id: agentId,
      client_message_id: clientMessageId,
      message_id: id,
      timestamp,
      fingerprint: print,
    });
  }
  if (mentionsAll) group.addMention({ agent_id: everyone, channel_id: channelId, seq });
  for (const agent_id of mentionedMembers) {
    group.addMention({ agent_id, channel_id: channelId, seq });
  }
  const result = answer({ messageId: id, seq, timestamp, duplicate: false, unreached });
  const events = counted.exhausted
    ? [event, announceExhausted(group, channel, threadId, counted.exhausted)]
    : [event];
  return addressed.length === 0
    ? accepted(result, ...events)
    : { ...accepted(result, ...events), addressed };
}

/** The refusal of a direct message that would open its channel; null if a freeze or a loop does not forbid it. */
export function refusalToOpen(
  { nowMs }: GroupState,
  { actor, params }: Send & { readonly method: 'direct.send' },
): Refusal | null {
  return refusalOfFrozen(actor, null) ?? refusalOfLoop(actor, [params.agentId], nowMs);
}

/** The agents that a message of an agent mentions, answers or is sent to; empty for any other sender. */
function addressedBy(
  prefetched: Prefetched,
  { actor, method, params }: Send,
  mentions: readonly string[],
): readonly string[] {
  if (actor.kind !== 'agent') return [];
  const addressed = new Set(mentions);
  if (method === 'direct.send') addressed.add(params.agentId);
  if (params.replyTo !== null) {
    const author = prefetched.message(actor.agentId, params.replyTo)?.sender_id;
    if (author !== undefined) addressed.add(author);
  }
  addressed.delete(actor.agentId);
  return [...addressed];
}
