import { describe, expect, it } from '@jest/globals';
import { hasFeatures, parseQuery, type SearchQuery } from './search-query.ts';

const nowMs = new Date(2026, 10, 28, 12).getTime();
const channels = [
  { channelId: 'ops', name: 'Operations' },
  { channelId: 'c7', name: 'ops night' },
  { channelId: 'dm_1', name: 'bob' },
];

function parse(text: string): SearchQuery | string | null {
  const parsed = parseQuery(text, { me: 'ada', channels, nowMs });
  return parsed.ok ? parsed.query : parsed.problem;
}

const plain = { senderId: null, channelId: null, before: null, after: null, has: [] };

describe('a query', () => {
  it('has its filters anywhere between the words', () => {
    expect(parse('cache from:@bob slow in:operations "at once" has:code')).toEqual({
      ...plain,
      words: 'cache slow "at once"',
      senderId: 'bob',
      channelId: 'ops',
      has: ['code'],
    });
    expect(parse('from:me x')).toEqual({ ...plain, words: 'x', senderId: 'ada' });
    expect(parse('https://example.com/in:ops')).toMatchObject({ channelId: null });
  });

  it('names a channel by its id, its name, the beginning of one name, or its other member', () => {
    const idOf = (text: string) => (parse(`x ${text}`) as SearchQuery).channelId;
    expect(idOf('in:ops')).toBe('ops');
    expect(idOf('in:#OPERATIONS')).toBe('ops');
    expect(idOf('in:"ops night"')).toBe('c7');
    expect(idOf('in:@bob')).toBe('dm_1');
    expect(idOf('in:oper')).toBe('ops');
    expect(parse('x in:nowhere')).toBe('You have no channel named “nowhere”.');
  });

  it('names times by day and by what lies between', () => {
    const day = (date: number) => new Date(2026, 10, date).getTime();
    expect(parse('x before:2026-11-20')).toMatchObject({ before: day(20), after: null });
    expect(parse('x after:2026-11-20')).toMatchObject({ before: null, after: day(21) - 1 });
    expect(parse('x on:yesterday')).toMatchObject({ before: day(28), after: day(27) - 1 });
    expect(parse('x after:7d')).toMatchObject({ after: nowMs - 7 * 86_400_000 });
    for (const wrong of ['2026-02-30', 'soon', '20.11.2026'])
      expect(parse(`x before:${wrong}`)).toMatch(/takes a day/);
  });

  it('needs a word, and not too many', () => {
    expect(parse('')).toBeNull();
    expect(parse('from:bob !!')).toBe('Add a word to search for.');
    expect(parse('a '.repeat(5) + 'b c d e f g h i j k l m n o p q')).toBe('At most 16 words.');
    expect(parse('x has:nothing')).toBe('has: takes code or link.');
    expect(parse('x in:')).toEqual({ ...plain, words: 'x' });
  });
});

it('A message has code or a link where its text shows one', () => {
  expect(hasFeatures('run `make`', ['code'])).toBe(true);
  expect(hasFeatures('```\n1\n``` see https://x.y', ['code', 'link'])).toBe(true);
  expect(hasFeatures('plain', ['code'])).toBe(false);
  expect(hasFeatures('plain', [])).toBe(true);
});
