import { describe, expect, it } from '@jest/globals';
import { createFrameCache } from './frame-cache.ts';

const frameOf = (name: string) => JSON.stringify([{ name, padding: '.'.repeat(300) }]);

describe('a frame cache', () => {
  it('parses each text, and an equal text only once', () => {
    const parse = createFrameCache();
    const first = parse(frameOf('a'));
    expect(first).toEqual(JSON.parse(frameOf('a')));
    expect(parse(frameOf('a'))).toBe(first);
    expect(parse(frameOf('b'))).toEqual(JSON.parse(frameOf('b')));
    expect(() => parse('{'.repeat(300))).toThrow(SyntaxError);
  });

  it('does not cache short texts, which are not shared', () => {
    const parse = createFrameCache();
    expect(parse('{"a":1}')).toEqual({ a: 1 });
    expect(parse('{"a":1}')).not.toBe(parse('{"a":1}'));
  });

  it('evicts the oldest when it is full', () => {
    const parse = createFrameCache(2);
    const [a, b] = [parse(frameOf('a')), parse(frameOf('b'))];
    parse(frameOf('c'));
    expect(parse(frameOf('b'))).toBe(b);
    expect(parse(frameOf('a'))).not.toBe(a);
  });
});
