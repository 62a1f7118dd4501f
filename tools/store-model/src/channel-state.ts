import { directChannelId } from '@openclaw/chat-store';
import type { Channel, ChannelEvent, Envelope, Member, Message, Thread } from '@openclaw/protocol';
import type { Call } from './call.ts';

export interface First {
  readonly seq: number;
  readonly messageId: string | null;
  /** Null after the message was deleted. A repeated call is then recognized by its clientMessageId alone. */
  readonly print: string | null;
}

export interface ChannelState {
  /** The channel is null when it never existed. */
  readonly channel: Channel | null;
  readonly isDeleted: boolean;
  readonly head: number;
  readonly members: ReadonlyMap<string, Member>;
  readonly messages: ReadonlyMap<string, Message>;
  readonly threads: ReadonlyMap<string, Thread & { readonly isAnnounced: boolean }>;
  readonly mentions: readonly { readonly agentId: string; readonly seq: number }[];
  readonly firsts: ReadonlyMap<string, First>;
}

export const nothing: ChannelState = {
  channel: null,
  isDeleted: false,
  head: 0,
  mentions: [],
  members: new Map(),
  messages: new Map(),
  threads: new Map(),
  firsts: new Map(),
};

export const firstKey = (agentId: string, clientMessageId: string) =>
  `${agentId}\n${clientMessageId}`;

/** Two uses of a clientMessageId are compared by this encoding of method and params. */
export function printOf({ method, params }: Call): string {
  const {
    channelId: _channelId,
    clientMessageId: _id,
    ...rest
  } = params as Record<string, unknown>;
  return JSON.stringify([method, rest]);
}

export function apply(state: ChannelState, call: Call, envelope: Envelope): ChannelState {
  const next = applyEvent({ ...opened(state, call, envelope), head: envelope.seq ?? 0 }, envelope);
  const clientMessageId = 'clientMessageId' in call.params ? call.params.clientMessageId : null;
  if (clientMessageId === null) return next;
  const { event } = envelope;
  const isMessage = event.type === 'channel.message' || event.type === 'thread.message';
  const messageId = isMessage ? event.message.id : null;
  const first = { seq: next.head, messageId, print: printOf(call) };
  const key = firstKey(call.actor.agentId, clientMessageId);
  return { ...next, firsts: new Map([...next.firsts, [key, first]]) };
}

/** A channel's first event lacks the params of the call, so this function reads the call. */
function opened(state: ChannelState, call: Call, { timestamp }: Envelope): ChannelState {
  if (state.channel) return state;
  const { agentId } = call.actor;
  const base = { createdBy: agentId, createdAt: timestamp, archivedAt: null, head: 0 };
  if (call.method === 'channel.create') {
    const { channelId, name, kind, topic, metadata } = call.params;
    if (channelId === null) throw new Error('the model names its channels');
    return { ...state, channel: { ...base, channelId, name, kind, topic, metadata } };
  }
  if (call.method !== 'direct.send') throw new Error(`${call.method} made a channel`);
  const pair = [agentId, call.params.agentId].sort();
  const channelId = directChannelId(agentId, call.params.agentId);
  const members = pair.map((one): [string, Member] => [
    one,
    {
      channelId,
      agentId: one,
      kind: null,
      role: 'member',
      displayName: null,
      joinedAt: timestamp,
    },
  ]);
  const fixed = { name: pair.join(', '), kind: 'direct', topic: null, metadata: null } as const;
  return { ...state, channel: { ...base, channelId, ...fixed }, members: new Map(members) };
}

function applyEvent(state: ChannelState, envelope: Envelope): ChannelState {
  const event = envelope.event;
  switch (event.type) {
    case 'channel.member.join':
    case 'channel.member.update':
      return {
        ...state,
        members: new Map([...state.members, [event.member.agentId, event.member]]),
      };
    case 'channel.member.leave': {
      const members = new Map(state.members);
      members.delete(event.member.agentId);
      return { ...state, members };
    }
    case 'channel.update':
    case 'channel.archive':
      return { ...state, channel: event.channel };
    case 'channel.delete':
      return { ...state, isDeleted: true };
    case 'channel.message':
    case 'thread.message':
      return addMessage(state, event.message);
    case 'channel.message.edit':
      return withMessage(state, event.message);
    case 'channel.message.delete':
      return deleteMessage(state, event.message);
    case 'channel.reaction.add':
    case 'channel.reaction.remove':
      return react(state, event);
    case 'thread.create':
    case 'thread.update': {
      const thread = { ...event.thread, isAnnounced: true };
      const isAnnounced =
        event.type === 'thread.create' || state.threads.get(thread.threadId)?.isAnnounced === true;
      const threads = new Map([...state.threads, [thread.threadId, { ...thread, isAnnounced }]]);
      return { ...state, threads };
    }
    default:
      return state;
  }
}

const withMessage = (state: ChannelState, message: Message): ChannelState => ({
  ...state,
  messages: new Map([...state.messages, [message.id, message]]),
});

function addMessage(state: ChannelState, message: Message): ChannelState {
  const mentions = message.mentions
    .filter((agentId) => agentId !== message.senderId && state.members.has(agentId))
    .map((agentId) => ({ agentId, seq: message.seq }));
  const next = { ...withMessage(state, message), mentions: [...state.mentions, ...mentions] };
  const { threadId, channelId, senderId: createdBy, timestamp: createdAt } = message;
  if (threadId === null) return next;
  const known = state.threads.get(threadId) ?? {
    threadId,
    channelId,
    title: null,
    createdBy,
    createdAt,
    replies: 0,
    isAnnounced: false,
  };
  const thread = { ...known, replies: known.replies + 1 };
  return { ...next, threads: new Map([...state.threads, [threadId, thread]]) };
}

function deleteMessage(state: ChannelState, message: Message): ChannelState {
  const firsts = [...state.firsts].map(([key, first]): [string, First] => [
    key,
    first.messageId === message.id ? { ...first, print: null } : first,
  ]);
  const mentions = state.mentions.filter(({ seq }) => seq !== message.seq);
  const threads = new Map(state.threads);
  const thread = threads.get(message.threadId ?? '');
  if (thread) threads.set(thread.threadId, { ...thread, replies: thread.replies - 1 });
  return { ...withMessage(state, message), firsts: new Map(firsts), mentions, threads };
}

function react(
  state: ChannelState,
  event: Extract<ChannelEvent, { type: 'channel.reaction.add' | 'channel.reaction.remove' }>,
): ChannelState {
  const message = state.messages.get(event.messageId);
  if (!message) throw new Error(`a reaction to ${event.messageId}, which is not there`);
  const others = (message.reactions[event.emoji] ?? []).filter((one) => one !== event.agentId);
  const agents = event.type === 'channel.reaction.add' ? [...others, event.agentId] : others;
  const { [event.emoji]: _old, ...reactions } = message.reactions;
  return withMessage(state, {
    ...message,
    reactions: agents.length === 0 ? reactions : { ...reactions, [event.emoji]: agents },
  });
}
