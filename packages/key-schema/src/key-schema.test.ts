import { describe, expect, it } from '@jest/globals';
import { createKeySchema, encodeRosterMember, KeySchemaError, parseRosterMember } from './index.ts';

const channelId = '9f3c2a1d-5e8f-4b6a-9c1e-2a3b4c5d6e7f';
const agentId = 'backend-architect';

describe('the names that the EPIC prescribes', () => {
  const keys = createKeySchema();

  it.each([
    ['channelTopic', keys.channelTopic(channelId), `pubsub:channel:${channelId}`],
    ['globalTopic', keys.globalTopic, 'pubsub:global'],
    ['agentTopic', keys.agentTopic(agentId), `pubsub:agent:${agentId}`],
    ['channelPattern', keys.channelPattern, 'pubsub:channel:*'],
    ['presence', keys.presence(channelId, agentId), `presence:${channelId}:${agentId}`],
    ['typing', keys.typing(channelId), `typing:${channelId}`],
    ['channel', keys.channel(channelId), `channel:${channelId}`],
    ['channelMembers', keys.channelMembers(channelId), `channel:${channelId}:members`],
    ['recentMessages', keys.recentMessages(channelId), `messages:${channelId}:recent`],
    ['sequence', keys.sequence(channelId), `seq:messages:${channelId}`],
    ['rateLimit', keys.rateLimit('message', agentId), `ratelimit:message:${agentId}`],
  ])('%s', (_maker, name, spelled) => {
    expect(name).toBe(`openclaw:${spelled}`);
  });

  it('has three more names of our own', () => {
    expect(keys.roster(channelId)).toBe(`openclaw:roster:${channelId}`);
    expect(keys.rosterAgents(channelId)).toBe(`openclaw:roster:${channelId}:agents`);
    expect(keys.rateLimitWindow('message', agentId)).toBe(
      `openclaw:ratelimit:message:${agentId}:window`,
    );
  });
});

describe('prefix', () => {
  it('can be another, or none', () => {
    expect(createKeySchema({ prefix: 'staging-2:' }).typing('c1')).toBe('staging-2:typing:c1');
    expect(createKeySchema({ prefix: '' }).globalTopic).toBe('pubsub:global');
  });

  it.each(['a b:', 'a\n', 'a{b}:', 'a*', 'a?', 'a[b]', 'a\\', 'a^', 'x'.repeat(65)])(
    'is refused when it would break a slot or a pattern: %j',
    (prefix) => {
      expect(() => createKeySchema({ prefix })).toThrow(
        expect.objectContaining({ name: 'KeySchemaError', code: 'invalid_prefix' }),
      );
    },
  );
});

describe('a prefix without a separator', () => {
  it.each(['app', 'app1', 'chat:app', 'büroä'])(
    'is refused with the one that is meant: %j',
    (prefix) => {
      expect(() => createKeySchema({ prefix })).toThrow(
        expect.objectContaining({
          code: 'invalid_prefix',
          message: `the prefix ${prefix} needs a separator at its end: ${prefix}:`,
        }),
      );
      expect(createKeySchema({ prefix: `${prefix}:` }).typing('c1')).toBe(`${prefix}:typing:c1`);
    },
  );

  it('may be another punctuation mark', () => {
    expect(createKeySchema({ prefix: 'app-' }).typing('c1')).toBe('app-typing:c1');
  });

  it.each([null, 7, {}, Symbol('app')])('is refused when it is no text: %p', (prefix) => {
    expect(() => createKeySchema({ prefix: prefix as unknown as string })).toThrow(
      expect.objectContaining({ code: 'invalid_prefix' }),
    );
  });
});

// TypeScript refuses these, but JavaScript callers can pass them, for example `undefined` for a missing field.
const notText = [
  undefined,
  null,
  7,
  true,
  10n,
  Symbol('a'),
  ['a'],
  { toString: () => 'a' },
] as unknown[];

const badIds = [
  ...(notText as string[]),
  '',
  ' ',
  'a:b',
  'a{b}',
  '{a}',
  'a*',
  'a b',
  'a\n',
  'a\u0000',
  '-a',
  '.a',
  '_a',
  'ä',
  '🤖',
  'a/b',
  'x'.repeat(129),
];

describe('ids', () => {
  const keys = createKeySchema();

  it.each(badIds)('%p is refused by every maker', (bad) => {
    const makers = [
      () => keys.channelTopic(bad),
      () => keys.agentTopic(bad),
      () => keys.presence(bad, 'a'),
      () => keys.presence('c', bad),
      () => keys.roster(bad),
      () => keys.rosterAgents(bad),
      () => keys.typing(bad),
      () => keys.turns(bad),
      () => keys.turnStates(bad),
      () => keys.channel(bad),
      () => keys.channelMembers(bad),
      () => keys.recentMessages(bad),
      () => keys.sequence(bad),
      () => keys.cachedValue(bad),
      () => keys.cachedValueLease(bad),
      () => keys.rateLimit(bad, 'a'),
      () => keys.rateLimit('message', bad),
      () => keys.rateLimitWindow(bad, 'a'),
      () => keys.rateLimitWindow('message', bad),
      () => encodeRosterMember({ agentId: bad, hubId: 'h', sessionId: 's' }),
      () => encodeRosterMember({ agentId: 'a', hubId: bad, sessionId: 's' }),
      () => encodeRosterMember({ agentId: 'a', hubId: 'h', sessionId: bad }),
    ];
    for (const make of makers) {
      expect(make).toThrow(expect.objectContaining({ code: 'invalid_id' }));
    }
  });

  it('may be 128 characters of letters, digits and ._@|~-', () => {
    expect(keys.typing('A9._@|~-z')).toBe('openclaw:typing:A9._@|~-z');
    expect(keys.typing('x'.repeat(128))).toHaveLength('openclaw:typing:'.length + 128);
  });

  it('are never quoted in full in an error', () => {
    const error = captured(() => keys.typing('x'.repeat(1_000_000)));
    expect(error).toBeInstanceOf(KeySchemaError);
    expect(String(error).length).toBeLessThan(300);
  });
});

describe('parseTopic', () => {
  it.each([false, true])('parses the names of the topic makers (hashTags: %j)', (hashTags) => {
    const keys = createKeySchema({ hashTags });
    expect(keys.parseTopic(keys.channelTopic('c1'))).toEqual({ kind: 'channel', channelId: 'c1' });
    expect(keys.parseTopic(keys.agentTopic('a1'))).toEqual({ kind: 'agent', agentId: 'a1' });
    expect(keys.parseTopic(keys.globalTopic)).toEqual({ kind: 'global' });
  });

  it.each([
    'other:pubsub:channel:c1',
    'pubsub:channel:c1',
    'openclaw:pubsub:channel:',
    'openclaw:pubsub:channel:*',
    'openclaw:pubsub:channel:c1:x',
    'openclaw:pubsub:channel:{c1}',
    'openclaw:pubsub:agent:',
    'openclaw:pubsub:globals',
    'openclaw:typing:c1',
    '',
  ])('answers null for %j, which is no topic of the schema', (name) => {
    expect(createKeySchema().parseTopic(name)).toBeNull();
  });

  it('with hash tags, returns null for a name without them', () => {
    const keys = createKeySchema({ hashTags: true });
    expect(keys.parseTopic('openclaw:pubsub:channel:c1')).toBeNull();
    expect(keys.parseTopic('openclaw:pubsub:channel:{}')).toBeNull();
    expect(keys.parseTopic('openclaw:pubsub:channel:{c1')).toBeNull();
    expect(keys.parseTopic('openclaw:pubsub:channel:{{c1}}')).toBeNull();
  });
});

describe('roster members', () => {
  it('are parsed back into their lease', () => {
    const lease = { agentId: 'a-1', hubId: 'hub.2', sessionId: 's_3' };
    expect(encodeRosterMember(lease)).toBe('a-1:hub.2:s_3');
    expect(parseRosterMember('a-1:hub.2:s_3')).toEqual(lease);
  });

  it.each(['', 'a', 'a:b', 'a:b:', ':b:c', 'a:b:c:d', 'a:b:c d', 'a:{b}:c'])(
    'answer null for %j, which is none',
    (member) => {
      expect(parseRosterMember(member)).toBeNull();
    },
  );
});

function captured(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
