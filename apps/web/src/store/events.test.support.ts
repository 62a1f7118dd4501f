import type { ChannelEvent, Envelope, Message } from '@openclaw/protocol';

/** A message as the hub says it, with what a test cares about. */
export function messageOf(seq: number, more: Partial<Message> = {}): Message {
  return {
    ...{
      id: `m${seq}`,
      channelId: 'c',
      seq,
      senderId: 'bob',
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
  return { id: `e${seq}`, event, timestamp: seq ?? 0, senderId, channelId: 'c', seq, epoch: 'e' };
}

/** A message that came. */
export function sentOf(seq: number, more: Partial<Message> = {}): Envelope {
  const message = messageOf(seq, more);
  const type = message.threadId === null ? 'channel.message' : 'thread.message';
  return envelopeOf(seq, { type, channelId: 'c', message }, message.senderId);
}
