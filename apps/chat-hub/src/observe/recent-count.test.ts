import { expect, it } from '@jest/globals';
import { RecentCount } from './recent-count.ts';

it('counts what happened in the last slices only', () => {
  const count = new RecentCount(10, 3);
  const startMs = 1_000_000;
  count.add(2, startMs);
  count.add(3, startMs + 15);
  expect(count.sum(startMs + 15)).toBe(5);
  expect(count.sum(startMs + 25)).toBe(5);
  expect(count.sum(startMs + 30)).toBe(3);
  expect(count.sum(startMs + 1_000)).toBe(0);
  count.add(1, startMs + 1_000);
  expect(count.sum(startMs + 1_000)).toBe(1);
  count.add(1, startMs);
  expect(count.sum(startMs)).toBe(2);
});
