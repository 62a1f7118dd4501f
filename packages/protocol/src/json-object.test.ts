import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonObjectProblem } from './json-object.ts';
import { limits } from './limits.ts';
import { utf8Bytes } from './text.ts';

const parse = (json: string): unknown => JSON.parse(json);
const messageOf = (value: unknown, maxBytes: number) =>
  jsonObjectProblem(value, maxBytes)?.message ?? null;
const nested = (levels: number) =>
  parse('{"a":'.repeat(levels - 1) + '{}' + '}'.repeat(levels - 1));

function holdsRoundedNumber(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return (
    typeof value === 'object' && value !== null && Object.values(value).some(holdsRoundedNumber)
  );
}

describe('JSON objects in metadata and payload', () => {
  it('passes any JSON object within the limits, and refuses one for its bytes exactly at the limit', () => {
    const json = fc.dictionary(
      fc.string({ unit: 'grapheme', minLength: 1 }).map((key) => `k${key}`),
      fc.jsonValue({ maxDepth: 5, noUnicodeString: false, stringUnit: 'grapheme' }),
    );
    fc.assert(
      fc.property(json, (value) => {
        const text = JSON.stringify(value);
        fc.pre(!/"(?:__proto__|constructor|prototype)":/.test(text));
        fc.pre(!holdsRoundedNumber(value));
        const bytes = utf8Bytes(text);
        expect(jsonObjectProblem(value, bytes)).toBeNull();
        expect(messageOf(value, bytes - 1)).toBe(`over ${bytes - 1} bytes as JSON`);
      }),
    );
  });

  it.each(['{"__proto__":{"admin":true}}', '{"constructor":1}', '{"a":[{"b":{"prototype":{}}}]}'])(
    'refuses %s: no key reaches a prototype',
    (json) => {
      expect(messageOf(parse(json), 1000)).toMatch(/is not allowed/);
    },
  );

  it('refuses values nested deeper than the limit, with a bounded stack', () => {
    expect(jsonObjectProblem(nested(limits.jsonDepth), 1000)).toBeNull();
    expect(messageOf(nested(limits.jsonDepth + 1), 1000)).toMatch(/levels deep/);
    expect(messageOf({ a: parse('['.repeat(50_000) + ']'.repeat(50_000)) }, 1e6)).toMatch(
      /levels deep/,
    );
  });

  it('stops walking where a huge value is past the limit', () => {
    let read = 0;
    const items = new Proxy(Array(100_000).fill(0), {
      get: (target, key, receiver) => {
        read++;
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    expect(messageOf({ items }, 100)).toBe('over 100 bytes as JSON');
    expect(read).toBeLessThan(300);
  });

  it.each([
    [null, 'not an object'],
    [[], 'not an object'],
    ['{}', 'not an object'],
    [undefined, 'not an object'],
    [{ a: 'b\0' }, 'text with U+0000 or half a surrogate pair'],
    [{ '\ud800': 1 }, 'text with U+0000 or half a surrogate pair'],
    [{ a: NaN }, 'a number that JSON cannot hold'],
    [{ a: undefined }, 'not JSON: undefined'],
    [{ a: 1n }, 'not JSON: bigint'],
  ])('refuses %p', (value, problem) => {
    expect(messageOf(value, 1000)).toBe(problem);
  });

  // The JSON parser rounds large integers before they are checked, so they must be refused.
  it.each([
    ['{"id":1481220477346119781}', ['id']],
    ['{"users":[{"id":-9007199254740993}]}', ['users', 0, 'id']],
    ['{"a":[[0,1e300]]}', ['a', 0, 1]],
    ['{"a":123456789012345678901234567890}', ['a']],
  ])('refuses %s, whose number would be rounded, with its path', (json, path) => {
    expect(jsonObjectProblem(parse(json), 1000)).toEqual({
      path,
      message: expect.stringMatching(/send it as a string/),
    });
  });

  it('keeps every integer up to 2^53 - 1, and fractions', () => {
    const value = { a: [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0.1, -0.5, 1e-300] };
    expect(jsonObjectProblem(value, 1000)).toBeNull();
    expect(parse(JSON.stringify(value))).toEqual(value);
  });

  it('reports the place of every problem, with long keys cut', () => {
    const long = 'k'.repeat(500);
    expect(jsonObjectProblem({ [long]: { b: 'c\0' } }, 1000)?.path).toEqual([
      long.slice(0, 64),
      'b',
    ]);
    expect(jsonObjectProblem({ a: [{ prototype: 1 }] }, 1000)?.path).toEqual(['a', 0]);
  });
});
