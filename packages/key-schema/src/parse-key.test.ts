import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createKeySchema, keyLimits, keyTable, parseKey, type KeyKind } from './index.ts';

const kinds = Object.keys(keyLimits) as KeyKind[];
const words = [
  'members',
  'agents',
  'states',
  'turns',
  'recent',
  'window',
  'lease',
  'messages',
  'channel',
  'log',
  'latest',
];
const id = fc.oneof(
  fc.constantFrom(...words),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,12}$/),
);

function idNames(kind: KeyKind): string[] {
  return [...keyTable[kind].pattern.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
}

describe('parseKey', () => {
  it('parses the keys of every maker, with and without hash tags', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.array(id, { minLength: 2, maxLength: 2 }),
        fc.boolean(),
        (kind, ids, hashTags) => {
          const schema = createKeySchema({ prefix: 'p:', hashTags });
          const name = schema[kind](ids[0] as string, ids[1] as string);
          const expected = { channelId: null, agentId: null, action: null, valueName: null };
          idNames(kind).forEach((field, at) => Object.assign(expected, { [field]: ids[at] }));
          const hasHashTag = idNames(kind).length === 0 ? null : hashTags;
          expect(parseKey(name, 'p:')).toEqual({ kind, ...expected, hasHashTag });
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['another prefix', 'other:typing:c1'],
    ['no prefix', 'typing:c1'],
    ['a kind that is not in the table', 'openclaw:sessions:c1'],
    ['a topic, which is no key', 'openclaw:pubsub:channel:c1'],
    ['an id too many', 'openclaw:typing:c1:a1'],
    ['an id too few', 'openclaw:presence:c1'],
    ['an empty id', 'openclaw:typing:'],
    ['an id with a character that no id has', 'openclaw:typing:c 1'],
    ['half a hash tag', 'openclaw:typing:{c1'],
    ['a hash tag around the wrong id', 'openclaw:presence:c1:{a1}'],
    ['an empty hash tag', 'openclaw:typing:{}'],
  ])('refuses a name with %s', (_, name) => {
    expect(parseKey(name)).toBeNull();
  });
});
