import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { decodeEnvelope, encodeEnvelope } from './codec.ts';
import { type Envelope, envelopeSchema } from './envelope.ts';
import { eventTypes, isDurable, isEventType } from './event-types.ts';
import { type ChannelEvent, channelEventSchema, eventSchemas } from './events.ts';
import { buildJsonSchemas } from './json-schema.ts';
import type { Channel, Member, Message, Presence, Thread } from './objects.ts';

const channelId = 'room';
const message: Message = {
  id: 'm1',
  channelId,
  seq: 3,
  senderId: 'alice',
  senderKind: 'agent',
  state: 'complete',
  content: 'Hello 🚀',
  timestamp: 1_708_554_000_000,
  threadId: null,
  mentions: ['bob'],
  metadata: { a: [1, null, { b: 'c' }] },
  editedAt: null,
  deletedAt: null,
  reactions: { '👍': ['bob'] },
};
const channel: Channel = {
  channelId,
  name: 'Room',
  kind: 'public',
  topic: null,
  metadata: null,
  createdBy: 'alice',
  createdAt: 1,
  archivedAt: null,
  head: 7,
};
const member: Member = {
  channelId,
  agentId: 'bob',
  kind: null,
  role: 'member',
  displayName: null,
  joinedAt: 2,
};
const thread: Thread = {
  threadId: 'm1',
  channelId,
  title: 'T',
  createdBy: 'bob',
  createdAt: 3,
  replies: 0,
};
const presence: Presence = {
  agentId: 'bob',
  status: 'offline',
  customStatus: null,
  avatar: '🤖',
  lastSeen: 4,
};
const reaction = { channelId, messageId: 'm1', agentId: 'bob', emoji: '👍' };

const samples: ChannelEvent[] = [
  { type: 'channel.message', channelId, message },
  { type: 'channel.message.edit', channelId, message: { ...message, editedAt: 5 } },
  { type: 'channel.message.delete', channelId, message: { ...message, content: '', deletedAt: 6 } },
  { type: 'channel.reaction.add', ...reaction },
  { type: 'channel.reaction.remove', ...reaction },
  { type: 'channel.typing', channelId, agentId: 'bob', typing: true, threadId: null },
  { type: 'channel.presence', channelId, presences: [presence] },
  { type: 'channel.member.join', channelId, member },
  { type: 'channel.member.leave', channelId, member },
  { type: 'channel.member.update', channelId, member: { ...member, role: 'owner' } },
  { type: 'channel.update', channelId, channel },
  { type: 'channel.archive', channelId, channel: { ...channel, archivedAt: 8 } },
  { type: 'channel.delete', channelId },
  { type: 'thread.create', channelId, thread },
  { type: 'thread.update', channelId, thread },
  {
    type: 'thread.message',
    channelId,
    message: {
      ...message,
      threadId: 'm0',
      senderKind: 'hub',
      state: 'interrupted',
      replyTo: 'm0',
      mentionsAll: true,
      clientMessageId: 'own 1',
      ask: { to: ['bob'], deadlineMs: 9 },
      origin: { via: 'rest', onBehalfOf: 'carol', cause: ['m0'], taint: ['web'] },
    },
  },
  { type: 'collaboration.event', channelId, name: 'review', payload: { pr: 7 } },
];

const envelope = (event: ChannelEvent, extra: Partial<Envelope> = {}): Envelope => ({
  id: 'e1',
  event,
  timestamp: 1_708_554_000_001,
  senderId: 'alice',
  senderKind: 'person',
  channelId: event.channelId,
  seq: isDurable(event.type, event.channelId, 'name' in event ? event.name : '') ? 12 : null,
  epoch: 'epoch-1',
  ...extra,
});
const global: ChannelEvent = {
  type: 'collaboration.event',
  channelId: null,
  name: 'n',
  payload: {},
};
const delta: ChannelEvent = {
  type: 'collaboration.event',
  channelId: 'room',
  name: 'message.delta',
  payload: { messageId: 'm1', from: 0, text: 'x' },
};
const cases = [
  ...samples.map((event) => [event.type, event] as const),
  ['global', global] as const,
  ['delta', delta] as const,
];

describe('events', () => {
  it('have the 17 types of the EPIC, each with a schema and a place in the union', () => {
    expect(eventTypes).toHaveLength(17);
    expect(samples.map(({ type }) => type).sort()).toEqual([...eventTypes].sort());
    expect(Object.keys(eventSchemas)).toHaveLength(17);
    expect(channelEventSchema.options).toHaveLength(17);
    expect(isEventType('channel.message')).toBe(true);
    expect(isEventType('toString')).toBe(false);
  });

  it.each(cases)('%s passes the codec and the schema unchanged', (_type, event) => {
    const sent = envelope(event);
    const encoded = encodeEnvelope(sent);
    expect(encoded.json.startsWith('{"id":"e1","event":{"type":"')).toBe(true);
    expect(Object.keys(JSON.parse(encoded.json) as object)).toEqual([
      'id', 'event', 'timestamp', 'senderId', 'senderKind', 'channelId', 'seq', 'epoch',
    ]); // prettier-ignore
    expect(decodeEnvelope(encoded.json)).toEqual({ envelope: sent, encoded });
    expect(envelopeSchema.parse(JSON.parse(encoded.json))).toEqual(sent);
  });

  it.each(cases)('%s is valid by the published JSON Schema', (_type, event) => {
    const validate = new Ajv2020({
      strict: true,
      strictRequired: false,
      allowUnionTypes: true,
    }).compile({
      $ref: '#/$defs/Envelope',
      $defs: buildJsonSchemas(),
    });
    expect(validate(envelope(event))).toBe(true);
    expect(validate({ ...envelope(event), event: { ...event, type: 'channel.nothing' } })).toBe(
      false,
    );
  });

  it('only typing, presence, global events, deltas and turns are ephemeral', () => {
    expect(eventTypes.filter((type) => !isDurable(type))).toEqual([
      'channel.typing',
      'channel.presence',
    ]);
    expect(isDurable('collaboration.event', 'room')).toBe(true);
    expect(isDurable('collaboration.event', null)).toBe(false);
    expect(isDurable('collaboration.event', 'room', 'message.delta')).toBe(false);
    expect(isDurable('collaboration.event', 'room', 'turn.state')).toBe(false);
  });
});

describe('text that is not an envelope', () => {
  const good = envelope({ type: 'channel.delete', channelId });
  const typing = envelope({
    type: 'channel.typing',
    channelId,
    agentId: 'b',
    typing: true,
    threadId: null,
  });
  const wrong: [string, object][] = [
    ['of an unknown type', { ...good, event: { type: 'channel.nothing', channelId } }],
    ['without an event', { ...good, event: null }],
    ['with an id that breaks the rule', { ...good, id: 'a"b' }],
    ['with a sender that breaks the rule', { ...good, senderId: 'a:b' }],
    ['of another channel than its event', { ...good, channelId: 'hall' }],
    [
      'global, but of a type that is never global',
      { ...good, channelId: null, seq: null, event: { ...good.event, channelId: null } },
    ],
    ['durable without seq', { ...good, seq: null }],
    ['durable with seq 0', { ...good, seq: 0 }],
    ['durable with a broken seq', { ...good, seq: 1.5 }],
    ['ephemeral with a seq, which would corrupt a cursor', { ...typing, seq: 4 }],
    ['without epoch', { ...good, epoch: '' }],
    ['without a time', { ...good, timestamp: null }],
  ];

  it.each(wrong)('an envelope %s is refused by codec and schema', (_what, value) => {
    expect(decodeEnvelope(JSON.stringify(value))).toBeNull();
    expect(envelopeSchema.safeParse(value).success).toBe(false);
  });

  it.each(['', '{', 'null', '[]', '1', '"x"', '{}', '{"id":"e1"}'])(
    '%j is refused by the codec',
    (json) => {
      expect(decodeEnvelope(json)).toBeNull();
    },
  );

  it('an envelope whose fields are in another order is encoded again, with its id first', () => {
    const { id, ...rest } = good;
    const decoded = decodeEnvelope(JSON.stringify({ ...rest, id, extra: 1 }));
    expect(decoded?.encoded).toEqual(encodeEnvelope(good));
  });

  it('unknown fields pass, so that a hub may be newer than its client', () => {
    const newer = { ...good, event: { ...good.event, extra: 1 }, extra: 2 };
    expect(envelopeSchema.parse(newer)).toEqual(good);
    expect(decodeEnvelope(JSON.stringify(newer))?.encoded.seq).toBe(12);
  });
});
