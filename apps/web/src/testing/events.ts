import type { Channel, ChannelEvent, Envelope, Member, Message } from '@openclaw/protocol';

export function channelOf(channelId: string): Channel {
  return {
    channelId,
    name: 'C',
    kind: 'public',
    topic: null,
    metadata: null,
    createdBy: 'ada',
    createdAt: 0,
    archivedAt: null,
    head: 0,
  };
}

export function memberOf(agentId: string): Member {
  return { channelId: 'c', agentId, kind: 'agent', role: 'member', displayName: null, joinedAt: 0 };
}

export function messageOf(seq: number, fields: Partial<Message> = {}): Message {
  return {
    id: `m${seq}`,
    channelId: 'c',
    seq,
    senderId: 'bob',
    senderKind: 'agent',
    state: 'complete',
    content: `text ${seq}`,
    timestamp: seq,
    threadId: null,
    mentions: [],
    metadata: null,
    editedAt: null,
    deletedAt: null,
    reactions: {},
    ...fields,
  };
}

export function envelopeOf(seq: number | null, event: ChannelEvent, senderId = 'bob'): Envelope {
  return {
    id: `e${seq}`,
    event,
    timestamp: seq ?? 0,
    senderId,
    senderKind: 'agent',
    channelId: 'c',
    seq,
    epoch: 'e',
  };
}

export function sentOf(seq: number, fields: Partial<Message> = {}): Envelope {
  const message = messageOf(seq, fields);
  const type = message.threadId === null ? 'channel.message' : 'thread.message';
  return envelopeOf(seq, { type, channelId: 'c', message }, message.senderId);
}
