import { describe, expect, it } from '@jest/globals';
import { createChannelWatch, watchSeq } from './channel-watch.ts';

function watchAll(head: number, seqs: number[]) {
  const watch = createChannelWatch(head);
  for (const seq of seqs) watchSeq(watch, seq);
  return watch;
}

describe('a channel watch', () => {
  it('finds nothing if every seq comes once and in order', () => {
    expect(watchAll(4, [5, 6, 7])).toEqual({ first: 5, last: 7, lost: 0, doubled: 0 });
  });

  it('counts skipped and repeated seqs', () => {
    expect(watchAll(4, [5, 8, 8, 6, 9])).toEqual({ first: 5, last: 9, lost: 2, doubled: 2 });
  });
});
