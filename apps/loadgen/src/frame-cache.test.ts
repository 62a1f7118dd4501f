import { describe, expect, it } from '@jest/globals';
import { createFrameCache } from './frame-cache.ts';

describe('a frame cache', () => {
  it('reads each text as JSON does, and the same text once', () => {
    const parse = createFrameCache();
    const first = parse('[{"a":1}]');
    expect(first).toEqual([{ a: 1 }]);
    expect(parse('[{"a":1}]')).toBe(first);
    expect(parse('[{"a":2}]')).toEqual([{ a: 2 }]);
    expect(() => parse('{')).toThrow(SyntaxError);
  });

  it('forgets the oldest when it is full', () => {
    const parse = createFrameCache(2);
    const [a, b] = [parse('["a"]'), parse('["b"]')];
    parse('["c"]');
    expect(parse('["b"]')).toBe(b);
    expect(parse('["a"]')).not.toBe(a);
  });
});
