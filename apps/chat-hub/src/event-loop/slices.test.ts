import { describe, expect, it } from '@jest/globals';
import { createSlices, type Steps } from './slices.ts';

/** Slices whose clock moves by one with each step, and what each turn of the event loop did. */
function createCase(sliceMs: number) {
  let nowMs = 0;
  const turns: string[][] = [];
  let turn: string[] | null = null;
  const slices = createSlices({ sliceMs, clock: () => nowMs });
  function* work(name: string, steps: number): Steps<string> {
    for (let step = 1; step <= steps; step++) {
      if (!turn) {
        turns.push((turn = []));
        // A microtask would come between two steps of no turn: the turn ends with its callback.
        queueMicrotask(() => (turn = null));
      }
      turn.push(name);
      nowMs += 1;
      if (step < steps) yield;
    }
    return name;
  }
  return { slices, turns, work };
}

describe('work in slices', () => {
  it('does no more in one turn than its time allows, and goes on in the next', async () => {
    const { slices, turns, work } = createCase(3);
    await slices.run(work('a', 8));
    expect(turns.map((turn) => turn.length)).toEqual([3, 3, 2]);
  });

  it('does the steps of several in turn, so that little does not wait for much', async () => {
    const { slices, turns, work } = createCase(4);
    const much = slices.run(work('much', 100));
    await slices.run(work('little', 2));
    expect(turns.flat().slice(0, 4)).toEqual(['much', 'little', 'much', 'little']);
    expect(turns.flat().filter((name) => name === 'much').length).toBeLessThan(10);
    await expect(much).resolves.toBe('much');
  });

  // A hundred that end together would else go on together, in one turn.
  it('lets what waits for the end of one run before the next one goes on', async () => {
    const { slices, turns, work } = createCase(1_000);
    await Promise.all(['a', 'b', 'c'].map((name) => slices.run(work(name, 1))));
    expect(turns).toEqual([['a'], ['b'], ['c']]);
  });

  it('rejects with what a step throws, and goes on with the others', async () => {
    const { slices, work } = createCase(3);
    function* failing(): Steps<void> {
      yield;
      throw new Error('broken');
    }
    const other = slices.run(work('other', 5));
    await expect(slices.run(failing())).rejects.toThrow('broken');
    await expect(other).resolves.toBe('other');
  });
});
