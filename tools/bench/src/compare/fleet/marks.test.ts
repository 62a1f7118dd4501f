import { describe, expect, it } from '@jest/globals';
import { indexAt, markedText, markLength, nextMark, sentMicrosAt } from './marks.ts';

describe('marks', () => {
  it('are found in bytes with several messages', () => {
    const marks = [
      { index: 0, sentMicros: 1 },
      { index: 12_345_678, sentMicros: 98_765_432_109_876 },
    ];
    const bytes = Buffer.from(JSON.stringify(marks.map((mark) => markedText(mark, 200))));
    const found = [];
    for (let at = nextMark(bytes, 0); at < bytes.length; at = nextMark(bytes, at + markLength))
      found.push({ index: indexAt(bytes, at), sentMicros: sentMicrosAt(bytes, at) });
    expect(found).toEqual(marks);
  });

  it('give a text of the wanted length', () => {
    expect(markedText({ index: 1, sentMicros: 2 }, 200)).toHaveLength(200);
  });
});
