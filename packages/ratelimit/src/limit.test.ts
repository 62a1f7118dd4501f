import { describe, expect, it } from '@jest/globals';
import { parseLimit, sliceMsOf } from './limit.ts';

describe('parseLimit', () => {
  it('parses count/seconds', () => {
    expect(parseLimit('600/60')).toEqual({ limit: 600, windowMs: 60_000 });
    expect(parseLimit(' 5 / 1 ')).toEqual({ limit: 5, windowMs: 1000 });
    expect(parseLimit('1000000000/86400')).toEqual({ limit: 1_000_000_000, windowMs: 86_400_000 });
  });

  it.each([
    '',
    '600',
    '600/',
    '/60',
    '0/60',
    '600/0',
    '-1/60',
    '6e2/60',
    '600/60s',
    '1/86401',
    '600/1.5',
  ])('names the problem of %j', (text) => {
    expect(() => parseLimit(text)).toThrow(expect.objectContaining({ code: 'invalid_limit' }));
    expect(() => parseLimit(text)).toThrow(/count\/seconds, such as 600\/60 .* not /);
  });
});

it('cuts a minute into seconds, and any window into at most sixty slices', () => {
  expect(sliceMsOf({ limit: 1, windowMs: 60_000 })).toBe(1000);
  expect(sliceMsOf({ limit: 1, windowMs: 1000 })).toBe(17);
  expect(sliceMsOf({ limit: 1, windowMs: 100 })).toBe(2);
});
