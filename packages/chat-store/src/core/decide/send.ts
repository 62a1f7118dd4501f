import { hash } from 'node:crypto';
import type { ParsedMentions, ResultOf } from '@openclaw/protocol';
import { isContentTooLarge, limits } from '@openclaw/protocol/wire';
import {
  refuse,
  type Actor,
  type AppendedEvent,
  type Command,
  type CommandOf,
  type Outcome,
  type Refusal,
} from '../../commands.ts';
import type { Prefetch } from '../group-statements.ts';
import { refuseUnknown } from '../asks.ts';
import { budgetOfRow, noBudget } from '../budgets.ts';
import { collectPrefetch, type Prefetched } from '../prefetch.ts';
import type { GroupState } from '../group-state.ts';
import { ledgerRowOf } from '../ledger.ts';
import { newId } from '../new-id.ts';
import { everyone, type ChannelWithHead } from '../tables.ts';
import { encodeTurns, type Turns } from '../turns.ts';
import { isOutOfBounds, authorize } from '../rights.ts';
import { announceExhausted, countTurn, refusalOfLoop } from './budgets.ts';
import { refuseUnmet, type Conditions } from './conditions.ts';
import { accepted } from './decision.ts';
import { refusalOfFrozen } from './freezes.ts';
import { addMessageToInboxes } from './inbox.ts';
import { fingerprint } from './repeats.ts';
import { mentionsOf, parsedOf, prefetchMentions } from './mentions.ts';
import { originOf, traceCauses } from './origin.ts';

type SendCommand = CommandOf<'message.send'> | CommandOf<'direct.send'>;

/** Most commands are sends, so consecutive sends are decided from one prefetch. */
export type Send = SendCommand & {
  readonly channelId: string;
  /** Null when the text is not parsed for mentions. */
  readonly parsed: ParsedMentions | null;
  /** Absent for a message that is no ask. */
  readonly ask?: { readonly to: readonly string[]; readonly deadlineMs: number };
};

const posting = { from: 'member', inArchived: false } as const;

/** The format of the column `pair`. */
export function pairOf(a: string, b: string): string {
  return a < b ? `${a}\n${b}` : `${b}\n${a}`;
}

/** Gives the same id for both orders of the agents. Costs one hash. */
export function directChannelId(a: string, b: string): string {
  return `dm_${hash('sha256', pairOf(a, b)).slice(0, 32)}`;
}

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
    for (const asked of send.ask?.to ?? []) collected.member(channelId, asked);
    if (send.method !== 'message.send') continue;
    for (const mentioned of send.params.mentions) collected.member(channelId, mentioned);
    if (send.params.threadId !== null) collected.message(agentId, send.params.threadId);
  }
  return collected.toPrefetch();
}

export function refuseTooLarge(content: string): Refusal | null {
  return isContentTooLarge(content)
    ? refuse('too_large', `content is limited to ${limits.contentBytes} bytes of UTF-8`)
    : null;
}

/** Refuses what can be refused without a look-up in the database. */
export function refuseSend(send: Send): Refusal | null {
  const tooLarge = refuseTooLarge(send.params.content);
  if (tooLarge) return tooLarge;
  if (send.params.taint.some((taint) => taint.length > limits.taintChars)) {
    return refuse('too_large', `a taint has over ${limits.taintChars} characters`);
  }
  if (send.method === 'direct.send' && send.params.agentId === send.actor.agentId) {
    return refuse('forbidden', 'a direct channel has two different members');
  }
  // Even a repeat must be within the token's channels, so this check comes before the search for repeats.
  return isOutOfBounds(send.actor, send.channelId)
    ? refuse('forbidden', 'the token is not for this channel')
    : null;
}

interface Sending {
  readonly group: GroupState;
  readonly prefetched: Prefetched;
  readonly send: Send;
  readonly threadId: string | null;
  readonly named: readonly string[];
  readonly mentioned: ReturnType<typeof mentionsOf>;
}

interface Permitted {
  readonly ok: true;
  readonly channel: ChannelWithHead;
  readonly root: ReturnType<Prefetched['message']>;
  readonly trace: Extract<ReturnType<typeof traceCauses>, { ok: true }>;
}

interface Decided extends Permitted {
  readonly print: string | null;
  /** Counts this message too. */
  readonly turns: Turns;
  readonly notified: readonly string[];
}

type Stored = Pick<ResultOf<'message.send'>, 'messageId' | 'seq' | 'timestamp'>;

/** Decides from the prefetched rows, without waiting. `conditions` is null if the send has none. */
export function decideSend(
  group: GroupState,
  prefetched: Prefetched,
  send: Send,
  conditions: Conditions | null = null,
): Outcome<Send['method']> {
  const refusal = refuseSend(send);
  if (refusal) return refusal;
  const isDirect = send.method === 'direct.send';
  const threadId = isDirect ? null : send.params.threadId;
  const named = isDirect ? [] : send.params.mentions;
  const mentioned = mentionsOf(prefetched, send, named);
  const sending: Sending = { group, prefetched, send, threadId, named, mentioned };

  const print = printOf(sending);
  const repeat = print === null ? null : answerRepeat(sending, print);
  if (repeat) return repeat;

  const permitted = permit(sending);
  if (!permitted.ok) return permitted;
  const { channel } = permitted;
  const addressed = addressedBy(prefetched, send, mentioned.mentions);
  const counted = countInPlace(sending, permitted, addressed);
  if (!counted.ok) return counted;
  const unmet = conditions && refuseUnmet(send, conditions);
  if (unmet) return unmet;
  prefetched.setTurns(channel.id, threadId, counted.turns);

  const decided: Decided = {
    ...permitted,
    print,
    turns: counted.turns,
    notified: notifiedBy(sending),
  };
  const { event, ...stored } = appendMessage(sending, decided);
  addRows(sending, decided, stored);
  addToInboxes(sending, decided, event);
  const { unreached } = mentioned;
  const result = resultOf(send, { ...stored, duplicate: false, unreached });
  const events = counted.exhausted
    ? [event, announceExhausted(group, channel, threadId, counted.exhausted)]
    : [event];
  return addressed.length === 0
    ? accepted(result, ...events)
    : { ...accepted(result, ...events), addressed };
}

function resultOf(send: Send, result: ResultOf<'message.send'>) {
  return send.method === 'direct.send' ? { ...result, channelId: send.channelId } : result;
}

/** The fingerprint that identifies a repeat; null without a client message id. */
function printOf({ group, send, threadId, named }: Sending): string | null {
  const { content, clientMessageId, metadata, replyTo, cause, taint, stream } = send.params;
  const channel = group.channel(send.channelId);
  if (clientMessageId === null || !channel || channel.deleted_at !== null) return null;
  // Absent params are left out, so that a repeat across an upgrade has the same fingerprint. Mentions in the text are
  // left out too, because the default of `parseMentions` differs between the transports.
  const hasOrigin = replyTo !== null || cause.length > 0 || taint.length > 0;
  const origin: unknown[] = hasOrigin ? [replyTo, cause, taint] : [];
  if (stream) origin.push('stream');
  const { ask } = send;
  return ask
    ? fingerprint('ask.create', content, threadId, named, metadata, ask.to, ask.deadlineMs)
    : fingerprint(send.method, content, threadId, named, metadata, ...origin);
}

/**
 * Null for a new message. A repeat needs no membership: a sender that was removed still learns that its message is
 * stored.
 */
function answerRepeat(
  { prefetched, send, mentioned }: Sending,
  print: string,
): Outcome<Send['method']> | null {
  const { channelId, actor, params } = send;
  if (params.clientMessageId === null) return null;
  const first = prefetched.repeat(channelId, actor.agentId, params.clientMessageId);
  if (!first) return null;
  // A deletion removes the fingerprint. Then only the client message id identifies the repeat.
  const isSame = first.fingerprint === null || first.fingerprint === print;
  if (!isSame || first.message_id === null) {
    return refuse('conflict', 'the clientMessageId was already used with other content');
  }
  const { message_id: messageId, seq, timestamp } = first;
  // A sender that was removed must not learn who is a member now.
  const isReader = actor.isAdmin || prefetched.role(channelId, actor.agentId) !== null;
  const now = { duplicate: true, unreached: isReader ? mentioned.unreached : [] };
  return accepted(resultOf(send, { messageId, seq, timestamp, ...now }));
}

function permit({ group, prefetched, send, threadId }: Sending): Permitted | Refusal {
  const { actor, channelId } = send;
  const { agentId } = actor;
  const channel = group.channel(channelId);
  const opens = send.method === 'direct.send' && !channel;
  if (opens && actor.mayOpenDirects === false) {
    return refuse(
      'rate_limited',
      `${agentId} has reached its limit of new direct channels: try again later`,
    );
  }
  const trace = traceCauses(prefetched, actor, channelId, send.params);
  if (opens) {
    // A frozen or paused agent must not open a channel.
    const closed = refusalToOpen(group, send);
    if (closed) return closed;
    // The channel of a refused message was not created, so the checks below would report a missing channel. This
    // refusal must therefore come first.
    if (!trace.ok) return trace;
  }
  const role = prefetched.role(channelId, agentId);
  const denied = authorize(actor, channelId, channel, role, posting);
  if (denied) return denied;
  if (!channel) return refuse('not_found', `there is no channel ${channelId}`);
  const frozen = refusalOfFrozen(actor, channel);
  if (frozen) return frozen;
  const root = threadId === null ? undefined : prefetched.message(agentId, threadId);
  if (threadId !== null && root?.channel_id !== channelId)
    return refuse('not_found', `there is no message ${threadId}`);
  if (root && root.thread_id !== null)
    return refuse('conflict', `message ${threadId} is a reply and cannot start a thread`);
  const unknown = send.ask?.to.filter((to) => prefetched.role(channelId, to) === null) ?? [];
  if (unknown.length > 0) return refuseUnknown(unknown);
  return trace.ok ? { ok: true, channel, root, trace } : trace;
}

function countInPlace(
  { group, prefetched, send, threadId }: Sending,
  { channel, root }: Permitted,
  addressed: readonly string[],
): ReturnType<typeof countTurn> {
  const turns = prefetched.turns(channel.id, threadId);
  const ownBudget = root ? budgetOfRow(root) : noBudget;
  const { actor, params } = send;
  const place = { channel, threadId, turns, ownBudget };
  return countTurn(group, actor, place, params.stream ? mayAddress(actor, addressed) : addressed);
}

/**
 * The agents that a growing message may address by its end. They are the agents that it addresses at its beginning,
 * and those that its sender addressed too often at the ends of earlier growing messages. The end of a message is never
 * refused, so such a loop is stopped when the next message begins.
 */
function mayAddress({ loops = [] }: Actor, addressed: readonly string[]): readonly string[] {
  const later = loops.filter(({ byStreams }) => byStreams).map(({ agentId }) => agentId);
  return [...addressed, ...later];
}

/** The members to notify, without the sender. A growing message notifies nobody until its end. */
function notifiedBy({ prefetched, send, mentioned }: Sending): readonly string[] {
  if (send.params.stream) return [];
  const isNotified = (to: string) =>
    to !== send.actor.agentId && prefetched.role(send.channelId, to) !== null;
  const members = mentioned.mentions.filter(isNotified);
  return send.ask ? [...new Set([...send.ask.to, ...members])] : members;
}

function appendMessage(
  { group, send, threadId, mentioned }: Sending,
  { channel, trace, print, notified }: Decided,
): Stored & { readonly event: AppendedEvent } {
  const { actor, channelId } = send;
  const { content, clientMessageId, metadata, replyTo } = send.params;
  const messageId = newId(group.nowMs);
  const timestamp = group.nowMs;
  const event = group.append(
    channel,
    actor,
    (seq) => ({
      type: threadId === null ? 'channel.message' : 'thread.message',
      // JSON omits undefined fields. The reactions come last: see message-projection.ts.
      message: {
        id: messageId,
        channelId,
        seq,
        senderId: actor.agentId,
        senderKind: actor.kind ?? null,
        state: send.params.stream ? 'streaming' : 'complete',
        content,
        timestamp,
        threadId,
        replyTo: replyTo ?? undefined,
        mentions: mentioned.mentions,
        mentionsAll: mentioned.mentionsAll || undefined,
        metadata,
        clientMessageId: clientMessageId ?? undefined,
        ask: send.ask && { to: [...send.ask.to], deadlineMs: timestamp + send.ask.deadlineMs },
        origin: originOf(actor, trace),
        editedAt: null,
        deletedAt: null,
        reactions: {},
      },
    }),
    { messageId, clientMessageId, fingerprint: print, notify: notified },
  );
  return { messageId, seq: channel.head, timestamp, event };
}

function addRows(
  { group, prefetched, send, threadId, mentioned }: Sending,
  { trace, print, turns, notified }: Decided,
  { messageId, seq, timestamp }: Stored,
): void {
  const { channelId, actor, params } = send;
  const { agentId } = actor;
  group.addMessage({
    channel_id: channelId,
    seq,
    id: messageId,
    sender_id: agentId,
    thread_id: threadId,
    text_seq: seq,
    ...prefetched.nextOrdinals(channelId, agentId),
    taint: trace.taint.length === 0 ? null : JSON.stringify(trace.taint),
    turns: encodeTurns(prefetched.turns(channelId, null)),
  });
  const place = { channel_id: channelId, thread_id: threadId, agent_id: agentId };
  const turn = params.stream ? null : ledgerRowOf(place, params.metadata, timestamp);
  if (turn) group.addTurn(turn);
  if (threadId !== null) {
    group.addReply({
      channel_id: channelId,
      thread_id: threadId,
      created_by: agentId,
      created_at: timestamp,
      last_seq: seq,
      turns: encodeTurns(turns),
    });
  }
  if (params.clientMessageId !== null) {
    prefetched.remember({
      channel_id: channelId,
      seq,
      sender_id: agentId,
      client_message_id: params.clientMessageId,
      message_id: messageId,
      timestamp,
      fingerprint: print,
    });
  }
  if (mentioned.mentionsAll) {
    group.addMention({ agent_id: everyone, channel_id: channelId, seq });
  }
  for (const agent_id of notified) {
    group.addMention({ agent_id, channel_id: channelId, seq });
  }
}

function addToInboxes(
  { group, prefetched, send, threadId, mentioned }: Sending,
  { channel, notified }: Decided,
  event: AppendedEvent,
): void {
  const isReply = threadId !== null || send.params.replyTo !== null;
  // Most messages address nobody, so no inbox changes. A growing message is put into inboxes at its end.
  if (send.params.stream) return;
  if (notified.length === 0 && !mentioned.mentionsAll && !isReply && channel.pair === null) return;
  const addressing = { notified, threadId, mentionsAll: mentioned.mentionsAll };
  addMessageToInboxes(group, prefetched, send, channel, event, addressing);
}

/** The refusal if a freeze or a loop forbids a direct message that would create its channel; otherwise null. */
export function refusalToOpen(
  { nowMs }: GroupState,
  { actor, params }: Send & { readonly method: 'direct.send' },
): Refusal | null {
  return refusalOfFrozen(actor, null) ?? refusalOfLoop(actor, [params.agentId], nowMs);
}

/** True if the message replies to an ask, or is in the thread of an ask, and the ask is to the sender. */
export function mayAnswerAsk(prefetched: Prefetched, { actor, method, params }: Send): boolean {
  const threadId = method === 'direct.send' ? null : params.threadId;
  return [params.replyTo, threadId].some(
    (id) => id !== null && prefetched.message(actor.agentId, id)?.asked === 1,
  );
}

/** Agents that an agent's message mentions, asks, answers or is sent to. Empty for other senders. */
function addressedBy(
  prefetched: Prefetched,
  { actor, method, params, ask }: Send,
  mentions: readonly string[],
): readonly string[] {
  if (actor.kind !== 'agent') return [];
  const addressed = new Set(ask ? [...mentions, ...ask.to] : mentions);
  if (method === 'direct.send') addressed.add(params.agentId);
  if (params.replyTo !== null) {
    const author = prefetched.message(actor.agentId, params.replyTo)?.sender_id;
    if (author !== undefined) addressed.add(author);
  }
  addressed.delete(actor.agentId);
  return [...addressed];
}
