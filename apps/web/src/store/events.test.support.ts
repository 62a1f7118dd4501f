import type { Channel, ChannelEvent, Envelope, Member, Message } from '@openclaw/protocol';

/** A public channel. */
export function channelOf(channelId: string): Channel {
  return {
    ...{ channelId, name: 'C', kind: 'public', topic: null, metadata: null },
    ...{ createdBy: 'ada', createdAt: 0, archivedAt: null, head: 0 },
  };
}

/** A plain member. */
export function memberOf(agentId: string): Member {
  return { channelId: 'c', agentId, kind: 'agent', role: 'member', displayName: null, joinedAt: 0 };
}

/** A message as the hub says it, with what a test cares about. */
export function messageOf(seq: number, more: Partial<Message> = {}): Message {
  return {
    ...{
      id: `m${seq}`,
      channelId: 'c',
      seq,
      senderId: 'bob',
      senderKind: 'agent',
      state: 'complete',
      content: `text ${seq}`,
      timestamp: seq,
    },
    ...{
      threadId: null,
      mentions: [],
      metadata: null,
      editedAt: null,
      deletedAt: null,
      reactions: {},
    },
    ...more,
  };
}

/** An event in its envelope. */
export function envelopeOf(seq: number | null, event: ChannelEvent, senderId = 'bob'): Envelope {
  const sender = { senderId, senderKind: 'agent' as const };
  return { id: `e${seq}`, event, timestamp: seq ?? 0, ...sender, channelId: 'c', seq, epoch: 'e' };
}

/** A message that came. */
export function sentOf(seq: number, more: Partial<Message> = {}): Envelope {
  const message = messageOf(seq, more);
  const type = message.threadId === null ? 'channel.message' : 'thread.message';
  return envelopeOf(seq, { type, channelId: 'c', message }, message.senderId);
}
