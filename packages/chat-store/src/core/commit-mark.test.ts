import { describe, expect, it } from '@jest/globals';
import { nextCommitMark, type CommitMark } from './commit-mark.ts';

/**
 * The world has transactions, and a watcher. Each check of the watcher reads two lists of commits, at most `rowsMax` of
 * each.
 */
function createWorld(rowsMax: number) {
  let next = 1;
  const open = new Set<number>();
  const committed = new Set<number>();
  const reports = new Map<number, number>();
  let mark: CommitMark = { next, open: [] };
  return {
    committed,
    reports,
    begin: () => void open.add(next++),
    end(isCommit: boolean, pick: number) {
      const ended = [...open][pick % Math.max(1, open.size)];
      if (ended === undefined) return;
      open.delete(ended);
      if (isCommit) committed.add(ended);
    },
    /** Works like readChanges: two lists, each ordered by mark and cut off at `rowsMax`. */
    check() {
      const now: CommitMark = { next, open: [...open] };
      const isVisible = (x: number) => committed.has(x);
      const lists = [[...committed].filter((x) => x >= mark.next), mark.open.filter(isVisible)].map(
        (list) => list.sort((a, b) => a - b).slice(0, rowsMax),
      );
      let readTo = Infinity;
      for (const list of lists) {
        for (const x of list) reports.set(x, (reports.get(x) ?? 0) + 1);
        if (list.length === rowsMax) readTo = Math.min(readTo, (list.at(-1) ?? 0) - 1);
      }
      mark = readTo === Infinity ? now : nextCommitMark(mark, now, readTo);
      return readTo !== Infinity;
    },
  };
}

function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

describe('a mark', () => {
  // The race: transactions end in another order than they began, while a watcher reads page by page.
  it.each(Array.from({ length: 50 }, (_, i) => i + 1))('misses no commit (seed %i)', (seed) => {
    const random = randomFrom(seed);
    const world = createWorld(3);
    for (let step = 0; step < 400; step++) {
      const action = random(10);
      if (action < 4) world.begin();
      else if (action < 8) world.end(random(4) > 0, random(100));
      else world.check();
    }
    while (world.check());
    expect([...world.committed].filter((x) => !world.reports.has(x))).toEqual([]);
    // When all changes are reported, a further check reports none of them again.
    const before = new Map(world.reports);
    world.check();
    expect(world.reports).toEqual(before);
  });

  it('reads nothing twice while a transaction stays open', () => {
    const world = createWorld(100);
    world.begin();
    for (let i = 0; i < 50; i++) {
      world.begin();
      world.end(true, 1);
      world.check();
    }
    world.end(true, 0);
    world.check();
    expect([...world.reports.values()]).toEqual(Array.from({ length: 51 }, () => 1));
  });

  it('goes back with a database that was restored', () => {
    expect(nextCommitMark({ next: 900, open: [] }, { next: 20, open: [18] }, 19)).toEqual({
      next: 20,
      open: [18],
    });
  });
});
