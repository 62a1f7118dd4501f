import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  createKeySchema,
  encodeRosterMember,
  isNameId,
  keyTable,
  parseRosterMember,
  type KeySchema,
} from './index.ts';

const first = [...'ABCZabcz019'];
// Ids that are also parts of names, because such an id could make one key look like another.
const words = [
  'members',
  'agents',
  'recent',
  'window',
  'lease',
  'cache',
  'global',
  'channel',
  'agent',
  'messages',
  'message',
  'pubsub',
];
const id = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...words) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...first),
        fc.string({ unit: fc.constantFrom(...first, ...'._@|~-'), maxLength: 6 }),
      )
      .map(([start, rest]) => start + rest),
  },
);

const made = fc.oneof(
  ...objectKeys(keyTable).map((maker) => {
    const ids = keyTable[maker].pattern.split('{').length - 1;
    return fc.tuple(fc.constant(maker), fc.array(id, { minLength: ids, maxLength: ids }));
  }),
);
type Made = readonly [maker: keyof typeof keyTable, ids: readonly string[]];

function nameOf(keys: KeySchema, [maker, [one = '', two = '']]: Made): string {
  return maker === 'globalTopic' || maker === 'traceTopic' ? keys[maker] : keys[maker](one, two);
}

function objectKeys<K extends string>(object: Readonly<Record<K, unknown>>): K[] {
  return Object.keys(object) as K[];
}

const schemas = [createKeySchema(), createKeySchema({ hashTags: true })];

describe('Key namespace isolation (openclaw: prefix)', () => {
  it('begins every key and every topic with the prefix', () => {
    fc.assert(
      fc.property(fc.constantFrom(...schemas), made, (keys, what) => {
        expect(nameOf(keys, what).startsWith('openclaw:')).toBe(true);
      }),
    );
    for (const keys of schemas) expect(keys.channelPattern).toBe('openclaw:pubsub:channel:*');
  });

  it('gives two systems no name in common when neither prefix begins with the other', () => {
    const prefix = fc
      .tuple(
        fc.string({ unit: fc.constantFrom(...'ab-:'), maxLength: 4 }),
        fc.constantFrom('-', ':'),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(prefix, prefix, made, made, (one, two, what, other) => {
        fc.pre(!one.startsWith(two) && !two.startsWith(one));
        const left = nameOf(createKeySchema({ prefix: one }), what);
        const right = nameOf(createKeySchema({ prefix: two }), other);
        expect(left).not.toBe(right);
      }),
    );
  });

  it("parses no other system's topics", () => {
    const other = createKeySchema({ prefix: 'staging:' });
    const keys = createKeySchema();
    for (const name of [other.channelTopic('c1'), other.agentTopic('a1'), other.globalTopic]) {
      expect(keys.parseTopic(name)).toBeNull();
    }
  });
});

describe('one name, one thing', () => {
  it('never gives two different things the same name', () => {
    fc.assert(
      fc.property(fc.constantFrom(...schemas), made, made, (keys, what, other) => {
        const isSame = JSON.stringify(what) === JSON.stringify(other);
        expect(nameOf(keys, what) === nameOf(keys, other)).toBe(isSame);
      }),
      { numRuns: 3_000 },
    );
  });

  it('refuses every id that could make the name of another key or move its slot', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab:{}* \n\u00e9') }), (text) => {
        fc.pre(/[^ab]/.test(text) || text === '');
        expect(isNameId(text)).toBe(false);
        expect(() => createKeySchema().presence(text, 'a')).toThrow();
      }),
    );
  });

  it('parses every topic back into the ids that made it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...schemas), id, (keys, one) => {
        expect(keys.parseTopic(keys.channelTopic(one))).toEqual({
          kind: 'channel',
          channelId: one,
        });
        expect(keys.parseTopic(keys.agentTopic(one))).toEqual({ kind: 'agent', agentId: one });
      }),
    );
  });

  it('parses every roster member back into the ids that made it', () => {
    fc.assert(
      fc.property(id, id, id, (agentId, hubId, sessionId) => {
        const lease = { agentId, hubId, sessionId };
        expect(parseRosterMember(encodeRosterMember(lease))).toEqual(lease);
      }),
    );
  });
});
