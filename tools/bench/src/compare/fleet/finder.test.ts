import { describe, expect, it } from '@jest/globals';
import { createFinder } from './finder.ts';

describe('a finder', () => {
  const frames = ['a error', 'b', 'error c', 'd', 'e'];
  const bytes = Buffer.from(frames.join(''));
  const ranges = frames.map((frame, at) => {
    const start = frames.slice(0, at).join('').length;
    return [start, start + frame.length] as const;
  });

  it('finds text in the frames that have it, one after the other', () => {
    const finder = createFinder('error');
    const found = ranges.map(([start, end]) => finder.isIn(bytes, start, end));
    expect(found).toEqual([true, false, true, false, false]);
  });

  it('begins again with other bytes', () => {
    const finder = createFinder('error');
    expect(finder.isIn(Buffer.from('nothing'), 0, 7)).toBe(false);
    expect(finder.isIn(bytes, 0, 7)).toBe(true);
  });
});
