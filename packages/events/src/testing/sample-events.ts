import { encodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';

export interface SampleEvent {
  readonly id?: string;
  readonly channelId?: string;
  readonly seq?: number;
  readonly epoch?: string;
  readonly timestamp?: number;
  readonly content?: string;
}

let events = 0;
const newId = () => `event-${process.pid}-${(events += 1)}`;

export function sampleMessage(sample: SampleEvent = {}): EncodedEnvelope {
  const { channelId = 'general', seq = 1, timestamp = 1_700_000_000_000 } = sample;
  const { id = newId(), epoch = 'epoch-1', content = `message ${seq}` } = sample;
  const senderId = 'backend-architect';
  return encodeEnvelope({
    id,
    event: {
      type: 'channel.message',
      channelId,
      message: {
        id: `message-${seq}`,
        channelId,
        seq,
        senderId,
        senderKind: 'agent',
        state: 'complete',
        content,
        timestamp,
        threadId: null,
        mentions: [],
        metadata: null,
        editedAt: null,
        deletedAt: null,
        reactions: {},
      },
    },
    timestamp,
    senderId,
    senderKind: null,
    channelId,
    seq,
    epoch,
  });
}

export function sampleTyping(sample: SampleEvent = {}): EncodedEnvelope {
  const {
    id = newId(),
    channelId = 'general',
    epoch = 'epoch-1',
    timestamp = 1_700_000_000_000,
  } = sample;
  const agentId = 'tech-lead';
  return encodeEnvelope({
    id,
    event: { type: 'channel.typing', channelId, agentId, typing: true, threadId: null },
    timestamp,
    senderId: agentId,
    senderKind: null,
    channelId,
    seq: null,
    epoch,
  });
}

export function sampleBroadcast(sample: SampleEvent = {}): EncodedEnvelope {
  const { id = newId(), epoch = 'epoch-1', timestamp = 1_700_000_000_000 } = sample;
  return encodeEnvelope({
    id,
    event: {
      type: 'collaboration.event',
      channelId: null,
      name: 'deploy',
      payload: { version: 2 },
    },
    timestamp,
    senderId: 'admin',
    senderKind: null,
    channelId: null,
    seq: null,
    epoch,
  });
}
