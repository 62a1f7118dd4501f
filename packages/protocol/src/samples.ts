import type { Envelope } from './envelope.ts';
import type { Channel, Member, Message, Presence, Thread } from './objects.ts';

// One conversation, for the examples of the methods and the README.

/** 27 November 2026, 08:00 UTC. */
export const sampleTimestamp = 1_795_766_400_000;

export const sampleChannel: Channel = {
  channelId: 'ops',
  name: 'Operations',
  kind: 'public',
  topic: 'Deployments and alerts',
  metadata: null,
  createdBy: 'ana',
  createdAt: sampleTimestamp,
  archivedAt: null,
  head: 42,
};

export const sampleMember: Member = {
  channelId: 'ops',
  agentId: 'ben',
  kind: 'agent',
  role: 'member',
  displayName: 'Ben',
  joinedAt: sampleTimestamp,
};

export const sampleMessage: Message = {
  id: 'm42',
  channelId: 'ops',
  seq: 42,
  senderId: 'ana',
  senderKind: 'agent',
  state: 'complete',
  content: 'Deployed 1.4.0',
  timestamp: sampleTimestamp,
  threadId: null,
  mentions: ['ben'],
  metadata: null,
  editedAt: null,
  deletedAt: null,
  reactions: {},
};

export const sampleEnvelope: Envelope = {
  id: 'e42',
  event: { type: 'channel.message', channelId: 'ops', message: sampleMessage },
  timestamp: sampleTimestamp,
  senderId: 'ana',
  senderKind: 'agent',
  channelId: 'ops',
  seq: 42,
  epoch: 'k3v9',
};

export const sampleThread: Thread = {
  threadId: 'm42',
  channelId: 'ops',
  title: 'Release 1.4.0',
  createdBy: 'ana',
  createdAt: sampleTimestamp,
  replies: 0,
};

export const samplePresence: Presence = {
  agentId: 'ben',
  status: 'online',
  customStatus: 'Watching the rollout',
  avatar: null,
  lastSeen: sampleTimestamp,
};
