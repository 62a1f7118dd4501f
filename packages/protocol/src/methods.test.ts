import { describe, expect, it } from '@jest/globals';
import { errorCodes } from './errors.ts';
import { limits } from './limits.ts';
import { isMethodName, methods, type MethodName } from './methods.ts';
import type { MethodDefinition } from './methods/definition.ts';

const page = { cursor: null, limit: 50 };
const c = { channelId: 'room' };
const m = { ...c, messageId: 'm1' };
const noOrigin = { replyTo: null, cause: [], taint: [] };
const turn = { model: 'small-1', tokensIn: 900, tokensOut: 80, costMicros: 1_200, ms: 640 };
const same = (params: object): [object, object] => [params, params];

const least: Record<MethodName, [written: object, seen: object]> = {
  'channel.create': [
    { name: 'Room' },
    {
      name: 'Room',
      channelId: null,
      kind: 'public',
      topic: null,
      metadata: null,
      retentionMs: null,
      maxMessages: null,
    },
  ],
  'channel.get': same(c),
  'channel.update': same(c),
  'channel.archive': same(c),
  'channel.unarchive': same(c),
  'channel.delete': same(c),
  'channel.list': [{}, { kind: null, member: null, order: null, ...page }],
  'channel.join': same(c),
  'channel.leave': same(c),
  'member.list': [c, { ...c, ...page }],
  'member.add': [
    { ...c, agentId: 'bob' },
    { ...c, agentId: 'bob', role: 'member', displayName: null },
  ],
  'member.remove': same({ ...c, agentId: 'bob' }),
  'member.update': same({ ...c, agentId: 'bob' }),
  subscribe: [{ topics: [c] }, { topics: [{ ...c, since: null }], epoch: null }],
  unsubscribe: same({ channelIds: ['room'] }),
  'message.search': [
    { query: 'word' },
    {
      query: 'word',
      channelId: null,
      senderId: null,
      before: null,
      after: null,
      limit: 50,
      cursor: null,
    },
  ],
  'log.read': [
    { ...c, after: 0 },
    { ...c, after: 0, limit: 1000, waitMs: 0 },
  ],
  'message.send': [
    { ...c, content: 'hi' },
    {
      ...c,
      content: 'hi',
      stream: false,
      threadId: null,
      clientMessageId: null,
      mentions: [],
      parseMentions: null,
      metadata: null,
      ...noOrigin,
      basedOn: null,
      fence: null,
    },
  ],
  'ask.create': [
    { ...c, to: ['bob'], content: 'hi', deadlineMs: 60_000 },
    {
      ...c,
      agentId: null,
      to: ['bob'],
      content: 'hi',
      deadlineMs: 60_000,
      threadId: null,
      clientMessageId: null,
      mentions: [],
      metadata: null,
    },
  ],
  'ask.accept': [{ askId: 'm1' }, { askId: 'm1', note: null }],
  'ask.decline': [{ askId: 'm1' }, { askId: 'm1', note: null }],
  'ask.done': [{ askId: 'm1' }, { askId: 'm1', note: null }],
  'ask.list': [{}, { state: null, role: null, channelId: null, ...page }],
  'question.open': [
    { ...c, title: 'Deploy?' },
    {
      ...{ ...c, title: 'Deploy?', threadId: null, options: [], responders: [], quorum: 1 },
      ...{ expiresMs: null, clientMessageId: null },
    },
  ],
  'question.answer': [
    { questionId: 'q1', optionId: 'yes' },
    { questionId: 'q1', optionId: 'yes', text: null },
  ],
  'question.cancel': same({ questionId: 'q1' }),
  'question.list': [{}, { channelId: null, state: null, ...page }],
  'budget.set': [c, { ...c, threadId: null }],
  'budget.get': [c, { ...c, threadId: null }],
  freeze: [
    { scope: 'hub', reason: 'stop' },
    { scope: 'hub', id: null, reason: 'stop' },
  ],
  unfreeze: [{ scope: 'hub' }, { scope: 'hub', id: null, reason: null }],
  'freeze.list': same({}),
  'ledger.sum': [
    { by: 'agent' },
    { channelId: null, agentId: null, after: null, before: null, by: 'agent', ...page },
  ],
  claim: same({ ...c, threadId: 'm1', leaseMs: 1_000 }),
  'claim.release': same({ ...c, threadId: 'm1' }),
  'message.append': same({ ...m, from: 0, text: 'hi' }),
  'message.finish': [
    { ...m, state: 'stopped' },
    {
      ...{ ...m, state: 'stopped', length: null, content: null },
      ...{ mentions: null, parseMentions: null, metadata: null },
    },
  ],
  'message.edit': same({ ...m, content: 'hi' }),
  'message.delete': same(m),
  'message.get': same(m),
  'message.history': [c, { ...c, before: null, after: null, threadId: null, limit: 50 }],
  'direct.send': [
    { agentId: 'bob', content: 'hi' },
    {
      ...{ agentId: 'bob', content: 'hi', stream: false },
      ...{ clientMessageId: null, parseMentions: null },
      ...{ metadata: null, ...noOrigin, basedOn: null },
    },
  ],
  'reaction.add': same({ ...m, emoji: '👍' }),
  'reaction.remove': same({ ...m, emoji: '👍' }),
  'thread.create': [m, { ...m, title: null, clientMessageId: null }],
  'thread.update': same({ ...c, threadId: 'm1', title: 'T' }),
  'thread.list': [c, { ...c, ...page }],
  'typing.start': [c, { ...c, threadId: null }],
  'typing.stop': [c, { ...c, threadId: null }],
  'typing.list': [c, { ...c, threadId: null }],
  'turn.set': [
    { ...c, state: 'idle' },
    { ...c, state: 'idle', threadId: null, label: null, queueDepth: null },
  ],
  'turn.list': same(c),
  'presence.set': [{ status: 'dnd' }, { status: 'dnd', customStatus: null, avatar: null }],
  'presence.list': [c, { ...c, ...page }],
  'collaboration.emit': [
    { channelId: null, name: 'review', payload: {} },
    { channelId: null, name: 'review', payload: {}, clientMessageId: null },
  ],
  'read.mark': [
    { ...c, seq: 7 },
    { ...c, seq: 7, back: false },
  ],
  'read.state': same({}),
  'inbox.read': [{}, { after: null, limit: 50, maxChars: null, waitMs: 0, agentId: null }],
  'inbox.ack': same({ cursor: 'ik3v9.2a.0' }),
  'agent.list': [{}, { ...page, kind: null }],
  'agent.kick': same({ agentId: 'bob', reason: 'why' }),
  'agent.limit': [
    { agentId: 'bob', message: '6/60' },
    { agentId: 'bob', message: '6/60', forMs: null },
  ],
  ping: same({}),
};

const json = (text: string): unknown => JSON.parse(text);
const wide = (count: number) => Array.from({ length: count }, (_, i) => `a${i}`);

const refused: [MethodName, string, object][] = [
  ['channel.create', 'an id that is reserved for the hub', { channelId: 'dm_abc' }],
  ['channel.create', 'a direct channel', { kind: 'direct' }],
  ['channel.create', 'an empty name', { name: '' }],
  ['channel.create', 'a blank name', { name: '  ' }],
  ['channel.create', 'a name of two lines', { name: 'a\nb' }],
  ['channel.create', 'a name over 128 characters', { name: 'x'.repeat(129) }],
  ['channel.create', 'a topic over 1024 characters', { topic: 'x'.repeat(1025) }],
  ['channel.create', 'metadata over 8 KiB', { metadata: { a: 'x'.repeat(limits.metadataBytes) } }],
  [
    'channel.update',
    'metadata with a key that reaches the prototype',
    { metadata: json('{"__proto__":{}}') },
  ],
  ['channel.update', 'a name of null', { name: null }],
  ['channel.list', 'a page over 200', { limit: 201 }],
  ['channel.list', 'an empty page', { limit: 0 }],
  ['channel.list', 'a cursor over its limit', { cursor: 'x'.repeat(129) }],
  ['channel.list', 'an id as the cursor of an order', { cursor: 'general', order: 'name' }],
  ['channel.list', 'a cursor of another order', { cursor: 'cWyJhIiwiYSJd', order: 'newest' }],
  ['channel.list', 'an order there is not', { order: 'oldest' }],
  ['presence.list', 'a cursor that no page gave', { channelId: 'c', cursor: 'a b' }],
  ['member.list', 'a cursor that a store cannot read', { channelId: 'c', cursor: '\0' }],
  ['member.add', 'an agent whose id breaks the rule', { agentId: 'a:b' }],
  ['member.add', 'an unknown role', { role: 'admin' }],
  ['member.update', 'a blank display name', { displayName: '' }],
  ['subscribe', 'a since below 0', { topics: [{ ...c, since: -1 }] }],
  ['subscribe', 'a since past safe integers', { topics: [{ ...c, since: 2 ** 53 }] }],
  ['subscribe', 'a topic with an unknown key', { topics: [{ ...c, from: 1 }] }],
  ['subscribe', 'too many topics', { topics: wide(1001).map((channelId) => ({ channelId })) }],
  ['unsubscribe', 'too many channels', { channelIds: wide(1001) }],
  ['log.read', 'a page over 1000', { limit: 1001 }],
  ['log.read', 'a wait over 50 s', { after: 0, waitMs: 50_001 }],
  ['message.send', 'a channel whose id breaks the rule', { channelId: 'room:1' }],
  ['message.send', 'empty content', { content: '' }],
  ['message.send', 'content with U+0000', { content: 'a\0' }],
  ['message.send', 'content that is no text', { content: 1 }],
  ['message.send', 'a clientMessageId over 128', { clientMessageId: 'x'.repeat(129) }],
  ['message.send', '51 mentions', { mentions: wide(51) }],
  ['message.send', 'an agent mentioned twice', { mentions: ['bob', 'bob'] }],
  ['message.send', 'metadata that is a list', { metadata: [] }],
  ['message.send', 'an origin, which the hub alone sets', { origin: { via: 'rest' } }],
  ['message.send', '17 causes', { cause: wide(17) }],
  ['message.send', '16 causes beside the message it replies to', { cause: wide(16), replyTo: 'b' }],
  ['message.send', 'a cause named twice', { cause: ['m1', 'm1'] }],
  ['message.send', '17 taints of its own', { taint: wide(17) }],
  ['message.send', 'a blank taint', { taint: [' '] }],
  ['direct.send', 'an origin, which the hub alone sets', { origin: null }],
  ['message.send', 'a turn with a figure missing', { metadata: { turn: { model: 'm' } } }],
  ['message.send', 'a turn with a field more', { metadata: { turn: { ...turn, eur: 1 } } }],
  [
    'message.send',
    'a turn of a part of a token',
    { metadata: { turn: { ...turn, tokensIn: 0.5 } } },
  ],
  [
    'direct.send',
    'a turn that costs less than nothing',
    { metadata: { turn: { ...turn, ms: -1 } } },
  ],
  ['message.send', 'a turn that is null', { metadata: { turn: null } }],
  ['ledger.sum', 'a grouping there is not', { by: 'model' }],
  ['ledger.sum', 'an id as the cursor of threads', { by: 'thread', cursor: 'ops' }],
  ['ledger.sum', 'an id as the cursor of hours', { by: 'hour', cursor: 'ops' }],
  ['ask.create', 'a channel and an agent', { agentId: 'bob' }],
  ['ask.create', 'neither channel nor agent', { channelId: null, to: [] }],
  ['ask.create', 'nobody', { to: [] }],
  ['ask.create', '51 agents', { to: wide(51) }],
  ['ask.create', 'an agent named twice', { to: ['bob', 'bob'] }],
  [
    'ask.create',
    'a thread of a direct channel',
    { channelId: null, to: [], agentId: 'bob', threadId: 'm1' },
  ],
  ['ask.create', 'a deadline within a second', { deadlineMs: 999 }],
  ['ask.create', 'a deadline after a week', { deadlineMs: 604_800_001 }],
  ['ask.accept', 'a note over 512 characters', { note: 'x'.repeat(513) }],
  ['ask.list', 'a state there is not', { state: 'late' }],
  ['question.open', 'a blank title', { title: ' ' }],
  ['question.open', '21 options', { options: wide(21).map((id) => ({ id, label: id })) }],
  [
    'question.open',
    'two options with one id',
    {
      options: [
        { id: 'a', label: 'A' },
        { id: 'a', label: 'B' },
      ],
    },
  ],
  ['question.open', 'a quorum for a text', { quorum: 2 }],
  [
    'question.open',
    'fewer responders than the quorum',
    { options: [{ id: 'a', label: 'A' }], responders: ['bob'], quorum: 2 },
  ],
  ['question.answer', 'an option and a text', { text: 'x' }],
  ['question.answer', 'neither option nor text', { optionId: null }],
  ['question.answer', 'an empty text', { optionId: null, text: '' }],
  ['budget.set', 'a part of a turn', { agentTurns: 1.5 }],
  ['budget.set', 'fewer than no turns', { perMinute: -1 }],
  ['freeze', 'a channel without its id', { scope: 'channel' }],
  ['freeze', 'the hub with an id', { id: 'hub' }],
  ['freeze', 'a missing reason', { reason: undefined }],
  ['unfreeze', 'an agent without its id', { scope: 'agent' }],
  ['message.send', 'a fence without a thread', { fence: 1 }],
  ['claim', 'a lease below a second', { leaseMs: 999 }],
  ['message.send', 'an unknown key', { mention: ['bob'] }],
  [
    'message.send',
    'a key that reaches the prototype',
    json('{"__proto__":{"content":"x"}}') as object,
  ],
  ['message.history', 'before and after together', { before: 9, after: 1 }],
  ['reaction.add', 'an emoji over 64 characters', { emoji: 'x'.repeat(65) }],
  ['reaction.add', 'an emoji with a control character', { emoji: 'a\u0007' }],
  ['reaction.add', 'an emoji that reaches a prototype', { emoji: '__proto__' }],
  ['thread.update', 'a title over 256 characters', { title: 'x'.repeat(257) }],
  ['presence.set', 'offline, which only the hub sets', { status: 'offline' }],
  ['presence.set', 'a status text over 128', { customStatus: 'x'.repeat(129) }],
  ['presence.set', 'an avatar over 256', { avatar: 'x'.repeat(257) }],
  ['collaboration.emit', 'a missing channel', { channelId: undefined }],
  ['collaboration.emit', 'a missing payload', { payload: undefined }],
  ['collaboration.emit', 'a payload that is no object', { payload: 'x' }],
  [
    'collaboration.emit',
    'a payload over 32 KiB',
    { payload: { a: 'x'.repeat(limits.payloadBytes) } },
  ],
  ['read.mark', 'a seq that is no whole number', { seq: 1.5 }],
  ['ping', 'unknown params', { a: 1 }],
];

const allowed: [MethodName, string, object][] = [
  ['channel.update', 'nulls that empty', { topic: null, metadata: null }],
  ['message.send', 'null for every optional param', { threadId: null, metadata: null }],
  [
    'message.send',
    'content over 32 KiB, which the hub itself refuses',
    { content: 'x'.repeat(40_000) },
  ],
  [
    'message.send',
    'metadata at its limit',
    { metadata: { a: 'x'.repeat(limits.metadataBytes - 8) } },
  ],
  ['message.send', 'a turn beside other metadata', { metadata: { turn, more: [1] } }],
  ['channel.create', 'a field `turn`, which is of messages alone', { metadata: { turn: 'yours' } }],
  ['presence.set', 'emptied texts', { customStatus: null, avatar: null }],
  ['subscribe', 'nothing to subscribe to', { topics: [] }],
  ['collaboration.emit', 'a channel', { channelId: 'room' }],
];

describe('methods', () => {
  it.each(Object.entries(least))(
    '%s takes its required params alone, and the hub sees null for absent ones',
    (name, [written, seen]) => {
      expect(methods[name as MethodName].params.parse(written)).toEqual(seen);
    },
  );

  it.each(Object.keys(methods) as MethodName[])(
    '%s refuses params by position and unknown names',
    (name) => {
      const { params } = methods[name];
      expect(params.safeParse([]).success).toBe(false);
      const issues = params.safeParse({ ...least[name][0], [`no${'x'.repeat(1000)}`]: 1 }).error
        ?.issues;
      expect(issues?.[0]?.message).toMatch(/^unknown: nox{30}$/);
    },
  );

  it.each(refused)('%s refuses %s', (name, _what, change) => {
    const written = { ...least[name][0] };
    for (const key of Reflect.ownKeys(change)) {
      Object.defineProperty(written, key, Object.getOwnPropertyDescriptor(change, key) ?? {});
    }
    expect(methods[name].params.safeParse(written).success).toBe(false);
  });

  it.each(allowed)('%s takes %s', (name, _what, change) => {
    const written = { ...least[name][0], ...change };
    expect(methods[name].params.safeParse(written).data).toMatchObject(change);
  });

  it('one call’s default list is not another’s', () => {
    const { params } = methods['message.send'];
    const [a, b] = [params.parse({ ...c, content: 'x' }), params.parse({ ...c, content: 'x' })];
    a.mentions.push('bob');
    expect(b.mentions).toEqual([]);
  });

  it('names are known by isMethodName, inherited ones are not', () => {
    expect(Object.keys(methods).every(isMethodName)).toBe(true);
    for (const name of ['toString', '__proto__', '', 'message'])
      expect(isMethodName(name)).toBe(false);
  });

  it('each method has a summary and its refusals', () => {
    for (const { summary, errors } of Object.values(methods)) {
      expect(summary).toMatch(/^[A-Z].*\.$/);
      for (const error of errors) expect(errorCodes).toContain(error);
    }
  });

  it.each(Object.entries<MethodDefinition>(methods))(
    '%s is ordered and routed by params that it has',
    (_name, { params, orderedBy, rest }) => {
      const names = [...(rest?.path.matchAll(/:(\w+)/g) ?? [])].map(([, name]) => name);
      if (orderedBy !== null) names.push(...orderedBy.split(' or '));
      expect(Object.keys(params.shape)).toEqual(expect.arrayContaining(names));
    },
  );

  it('no two methods have the same REST route', () => {
    const routes = Object.values<MethodDefinition>(methods).flatMap(({ rest }) =>
      rest ? [`${rest.verb} ${rest.path.replaceAll(/:\w+/g, ':')}`] : [],
    );
    expect(new Set(routes).size).toBe(routes.length);
  });

  it.each(Object.entries<MethodDefinition>(methods))(
    '%s has examples that its own schemas accept',
    (_name, { params, result, examples }) => {
      for (const example of examples) {
        expect(params.safeParse(example.params).error).toBeUndefined();
        expect(result.parse(example.result)).toEqual(example.result);
      }
    },
  );

  it('only calls with a bounded answer are bulky: a subscribe without since is not', () => {
    const { bulky } = methods.subscribe;
    expect(bulky({ topics: [{ since: null }] })).toBe(0);
    expect(bulky({ topics: [{ since: null }, { since: 0 }] })).toBe(limits.resumeBytes);
  });
});
