import { expect, it } from '@jest/globals';
import { withoutHub, withSnapshot } from './seen-hubs.ts';

const hubOf = (hubId: string, lastBeatAgoMs: number) => ({
  ...{ hubId, lastBeatAgoMs, isThis: false, figures: null },
});

it('A hub that leaves the list stays until it is dismissed, and returns when it is alive again', () => {
  const first = withSnapshot([], { hubs: [hubOf('a', 100), hubOf('b', 100)], timestamp: 10_000 });
  const later = withSnapshot(first, { hubs: [hubOf('a', 100)], timestamp: 90_000 });
  expect(later).toMatchObject([
    { hubId: 'b', lastBeatMs: 9_900, isDismissed: false },
    { hubId: 'a', lastBeatMs: 89_900 },
  ]);
  const dismissed = withoutHub(later, 'b');
  expect(dismissed[0]).toMatchObject({ hubId: 'b', isDismissed: true });
  const stillDead = withSnapshot(dismissed, { hubs: [hubOf('b', 30_000)], timestamp: 95_000 });
  expect(stillDead.find(({ hubId }) => hubId === 'b')?.isDismissed).toBe(true);
  const back = withSnapshot(stillDead, { hubs: [hubOf('b', 50)], timestamp: 99_000 });
  expect(back.find(({ hubId }) => hubId === 'b')?.isDismissed).toBe(false);
});
