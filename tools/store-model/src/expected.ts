import type { ErrorCode, Member, Message } from '@openclaw/protocol';
import type { Call } from './call.ts';
import { firstKey, printOf, type ChannelState } from './channel-state.ts';

/** A call is refused, done without an event, or done with an event that has at least these fields. */
export type Expected =
  | { readonly code: ErrorCode }
  | { readonly event: null; readonly result: object }
  | { readonly event: { readonly type: string }; readonly result?: never };

type Of<M extends Call['method']> = Extract<Call, { method: M }>;

const refused = (code: ErrorCode) => ({ code });
const unchanged = (result: object) => ({ event: null, result });

/** These are the rules of the product, written a second time. */
export function expected(state: ChannelState, call: Call): Expected {
  switch (call.method) {
    case 'message.send':
    case 'direct.send':
      return send(state, call);
    case 'message.edit':
    case 'message.delete':
    case 'reaction.add':
    case 'reaction.remove':
      return change(state, call);
    case 'thread.create':
    case 'thread.update':
      return thread(state, call);
    case 'collaboration.emit':
      return emit(state, call);
    case 'read.mark': {
      const denied = judge(state, call, 'member', true);
      return denied ? refused(denied) : unchanged({});
    }
    case 'channel.create':
    case 'channel.update':
    case 'channel.archive':
    case 'channel.unarchive':
    case 'channel.delete':
      return channel(state, call);
    default:
      return membership(state, call);
  }
}

function judge(
  { channel: found, isDeleted, members }: ChannelState,
  { actor }: Call,
  from: 'anyone' | 'member' | 'owner',
  inArchived: boolean,
): ErrorCode | null {
  const role = members.get(actor.agentId)?.role;
  if (!found || isDeleted) return 'not_found';
  if (!role && !actor.isAdmin) {
    if (found.kind !== 'public') return 'not_found';
    if (from !== 'anyone') return 'forbidden';
  }
  if (from === 'owner' && role !== 'owner' && !actor.isAdmin) return 'forbidden';
  return !inArchived && found.archivedAt !== null ? 'archived' : null;
}

function firstOf(state: ChannelState, call: Call) {
  const clientMessageId = 'clientMessageId' in call.params ? call.params.clientMessageId : null;
  if (clientMessageId === null || !state.channel || state.isDeleted) return undefined;
  return state.firsts.get(firstKey(call.actor.agentId, clientMessageId));
}

function send(state: ChannelState, call: Of<'message.send'> | Of<'direct.send'>): Expected {
  const { agentId } = call.actor;
  if (call.method === 'direct.send' && call.params.agentId === agentId) return refused('forbidden');
  const first = firstOf(state, call);
  if (first) {
    const isSame = first.print === null || first.print === printOf(call);
    return !isSame || first.messageId === null
      ? refused('conflict')
      : unchanged({ messageId: first.messageId, seq: first.seq, duplicate: true });
  }
  const isNew = call.method === 'direct.send' && !state.channel;
  const denied = isNew ? null : judge(state, call, 'member', false);
  if (denied) return refused(denied);
  const { threadId, mentions } =
    call.method === 'direct.send' ? { threadId: null, mentions: [] } : call.params;
  if (threadId !== null) {
    const root = state.messages.get(threadId);
    if (!root) return refused('not_found');
    if (root.threadId !== null) return refused('conflict');
  }
  const { content, metadata } = call.params;
  const message = {
    seq: state.head + 1,
    senderId: agentId,
    content,
    threadId,
    mentions,
    metadata,
    ...{ editedAt: null, deletedAt: null, reactions: {} },
  };
  return withEvent(threadId === null ? 'channel.message' : 'thread.message', { message });
}

const withEvent = (type: string, fields: object = {}) => ({ event: { type, ...fields } });

function change(
  state: ChannelState,
  call: Of<'message.edit'> | Of<'message.delete'> | Of<'reaction.add'> | Of<'reaction.remove'>,
): Expected {
  const denied = judge(state, call, 'member', call.method === 'message.delete');
  if (denied) return refused(denied);
  const { agentId, isAdmin } = call.actor;
  const message = state.messages.get(call.params.messageId);
  if (!message) return refused('not_found');
  const isDeleted = message.deletedAt !== null;
  const isAuthor = message.senderId === agentId;
  const { id, seq } = message;
  if (call.method === 'message.edit') {
    const { content } = call.params;
    if (!isAuthor && !isAdmin) return refused('forbidden');
    if (isDeleted) return refused('conflict');
    if (message.content === content) return unchanged({ seq: null });
    return withEvent('channel.message.edit', {
      message: { id, seq, content, reactions: message.reactions, mentions: message.mentions },
    });
  }
  if (call.method === 'message.delete') {
    const mayDelete = isAuthor || isAdmin || state.members.get(agentId)?.role === 'owner';
    if (!mayDelete) return refused('forbidden');
    if (isDeleted) return unchanged({ seq: null });
    const emptied = { id, seq, content: '', mentions: [], metadata: null, reactions: {} };
    return withEvent('channel.message.delete', { message: emptied });
  }
  return reaction(call, message);
}

function reaction(call: Of<'reaction.add'> | Of<'reaction.remove'>, message: Message): Expected {
  const { emoji, messageId } = call.params;
  const { agentId } = call.actor;
  const has = message.reactions[emoji]?.includes(agentId) ?? false;
  const isAdd = call.method === 'reaction.add';
  if (isAdd && message.deletedAt !== null) return refused('conflict');
  if (has === isAdd) return unchanged({ seq: null, changed: false });
  return withEvent(isAdd ? 'channel.reaction.add' : 'channel.reaction.remove', {
    messageId,
    agentId,
    emoji,
  });
}

function thread(state: ChannelState, call: Of<'thread.create'> | Of<'thread.update'>): Expected {
  const { agentId, isAdmin } = call.actor;
  const isCreate = call.method === 'thread.create';
  const mayNotRead = isCreate && judge(state, call, 'member', true);
  if (mayNotRead) return refused(mayNotRead);
  const first = firstOf(state, call);
  if (first && first.print !== printOf(call)) return refused('conflict');
  const threadId = isCreate ? call.params.messageId : call.params.threadId;
  const known = state.threads.get(threadId);
  const as = (title: string | null) => ({ thread: { threadId, title } });
  if (first && known) return unchanged(as(known.title));
  const denied = judge(state, call, 'member', false);
  if (denied) return refused(denied);
  const { title } = call.params;
  if (call.method === 'thread.update') {
    if (!known) return refused('not_found');
    const isOwner = state.members.get(agentId)?.role === 'owner';
    if (known.createdBy !== agentId && !isOwner && !isAdmin) return refused('forbidden');
    if (known.title === title) return unchanged(as(title));
    const { replies, createdBy } = known;
    return withEvent('thread.update', { thread: { threadId, title, replies, createdBy } });
  }
  if (known?.isAnnounced) return unchanged(as(known.title));
  const root = state.messages.get(threadId);
  if (!root) return refused('not_found');
  if (root.threadId !== null || root.deletedAt !== null) return refused('conflict');
  const created = { threadId, title, createdBy: agentId, replies: known?.replies ?? 0 };
  return withEvent('thread.create', { thread: created });
}

function emit(state: ChannelState, call: Of<'collaboration.emit'>): Expected {
  const first = firstOf(state, call);
  if (first) {
    return first.print === printOf(call) ? unchanged({ seq: first.seq }) : refused('conflict');
  }
  const denied = judge(state, call, 'member', false);
  const { name, payload } = call.params;
  return denied ? refused(denied) : withEvent('collaboration.event', { name, payload });
}

function channel(
  state: ChannelState,
  call:
    | Of<'channel.create'>
    | Of<'channel.update'>
    | Of<'channel.archive'>
    | Of<'channel.unarchive'>
    | Of<'channel.delete'>,
): Expected {
  if (call.method === 'channel.create') {
    if (state.channel) return refused('conflict');
    const member = { agentId: call.actor.agentId, role: 'owner', displayName: null };
    return withEvent('channel.member.join', { member });
  }
  const denied = judge(state, call, 'owner', call.method !== 'channel.update');
  if (denied || !state.channel) return refused(denied ?? 'not_found');
  const { name, topic, archivedAt } = state.channel;
  const head = state.head + 1;
  if (call.method === 'channel.delete') return withEvent('channel.delete');
  if (call.method === 'channel.archive') {
    return archivedAt === null
      ? withEvent('channel.archive', { channel: { name, topic, head } })
      : unchanged({ channel: { name, topic } });
  }
  if (call.method === 'channel.unarchive') {
    return archivedAt === null
      ? unchanged({ channel: { name, topic } })
      : withEvent('channel.update', { channel: { name, topic, archivedAt: null, head } });
  }
  const wanted = { name: call.params.name ?? name, topic: call.params.topic ?? topic };
  return wanted.name === name && wanted.topic === topic
    ? unchanged({ channel: wanted })
    : withEvent('channel.update', { channel: { ...wanted, head } });
}

function membership(
  state: ChannelState,
  call:
    | Of<'channel.join'>
    | Of<'channel.leave'>
    | Of<'member.add'>
    | Of<'member.remove'>
    | Of<'member.update'>,
): Expected {
  const { agentId: self } = call.actor;
  const agentId = 'agentId' in call.params ? call.params.agentId : self;
  const known = state.members.get(agentId);
  const isFixed = state.channel?.kind === 'direct';
  const isLastOwner = (member: Member) =>
    member.role === 'owner' &&
    [...state.members.values()].filter(({ role }) => role === 'owner').length === 1;
  switch (call.method) {
    case 'channel.join': {
      const denied = judge(state, call, 'anyone', true);
      if (denied) return refused(denied);
      if (known) return unchanged({ member: known });
      if (state.channel?.archivedAt !== null) return refused('archived');
      if (isFixed) return refused('forbidden');
      return withEvent('channel.member.join', {
        member: { agentId, role: 'member', displayName: null },
      });
    }
    case 'member.add': {
      const denied = judge(state, call, 'owner', false);
      if (denied ?? isFixed) return refused(denied ?? 'forbidden');
      if (known) return unchanged({ member: known });
      const { role, displayName } = call.params;
      return withEvent('channel.member.join', { member: { agentId, role, displayName } });
    }
    case 'member.update': {
      const isOwnName = agentId === self && call.params.role === undefined;
      const denied = judge(state, call, isOwnName ? 'member' : 'owner', false);
      if (denied) return refused(denied);
      if (!known) return refused('not_found');
      const { role = known.role, displayName = known.displayName } = call.params;
      if (role === known.role && displayName === known.displayName) {
        return unchanged({ member: known });
      }
      if (isFixed) return refused('forbidden');
      if (role !== 'owner' && isLastOwner(known)) return refused('conflict');
      return withEvent('channel.member.update', { member: { ...known, role, displayName } });
    }
    default: {
      const denied = judge(state, call, agentId === self ? 'member' : 'owner', true);
      if (denied ?? isFixed) return refused(denied ?? 'forbidden');
      if (!known) return refused('not_found');
      return isLastOwner(known)
        ? refused('conflict')
        : withEvent('channel.member.leave', { member: known });
    }
  }
}
