import { expect, it } from '@jest/globals';
import type { Operations } from '@openclaw/protocol';
import { historyMs, minutesOf, peaksOf, withRows } from './history.ts';

type Row = NonNullable<Operations['history']>['minutes'][number];
const row = (hubId: string, at: number, messages = 0) =>
  ({ hubId, at, figures: { messages } }) as Row;

it('keeps a day, in the order of time, and the newest answer about a minute', () => {
  const nowMs = historyMs + 1_000;
  const known = [row('a', 500), row('a', 60_000, 1), row('b', 60_000)];
  const rows = withRows(known, [row('a', 120_000), row('a', 60_000, 7)], nowMs);
  expect(rows.map(({ hubId, at, figures }) => [hubId, at, figures.messages])).toEqual([
    ['a', 60_000, 7],
    ['b', 60_000, 0],
    ['a', 120_000, 0],
  ]);
  expect(minutesOf(rows).map(({ atMs, hubs }) => [atMs, hubs.length])).toEqual([
    [60_000, 2],
    [120_000, 1],
  ]);
});

it('a small plot keeps each peak, and the gaps', () => {
  const points = [1, 9, 2, null].map((value, n) => ({ atMs: n * 10, value }));
  expect(peaksOf(points, 0, 80, 4)).toEqual([9, 2, null, null]);
});
