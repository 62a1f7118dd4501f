import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { createTimeSlicedQueue, type Steps } from './time-sliced-queue.ts';

function createCase(sliceMs: number) {
  let nowMs = 0;
  const turns: string[][] = [];
  let turn: string[] | null = null;
  const queue = createTimeSlicedQueue({ sliceMs, clock: () => nowMs });
  function* work(name: string, steps: number): Steps<string> {
    for (let step = 1; step <= steps; step++) {
      if (!turn) {
        turns.push((turn = []));
        // Microtasks run after the callback of a turn, never between its steps.
        queueMicrotask(() => (turn = null));
      }
      turn.push(name);
      nowMs += 1;
      if (step < steps) yield;
    }
    return name;
  }
  return { queue, turns, work };
}

function spin(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

describe('steps in a time-sliced queue', () => {
  it('take no longer in one turn than a slice, and continue in the next', async () => {
    const { queue, turns, work } = createCase(3);
    await queue.run(work('a', 8));
    expect(turns.map((turn) => turn.length)).toEqual([3, 3, 2]);
  });

  it('alternate between callers, so that a small job does not wait for a large one', async () => {
    const { queue, turns, work } = createCase(4);
    const large = queue.run(work('large', 100));
    await queue.run(work('small', 2));
    expect(turns.flat().slice(0, 4)).toEqual(['large', 'small', 'large', 'small']);
    expect(turns.flat().filter((name) => name === 'large').length).toBeLessThan(10);
    await expect(large).resolves.toBe('large');
  });

  // If the slice did not end, a hundred callers whose jobs end together would all continue in one turn.
  it('end the slice when a job ends, so that its caller continues before the next job', async () => {
    const { queue, turns, work } = createCase(1_000);
    await Promise.all(['a', 'b', 'c'].map((name) => queue.run(work(name, 1))));
    expect(turns).toEqual([['a'], ['b'], ['c']]);
  });

  it('reject with the error that a step throws, and do not affect other jobs', async () => {
    const { queue, work } = createCase(3);
    function* failing(): Steps<void> {
      yield;
      throw new Error('broken');
    }
    const other = queue.run(work('other', 5));
    await expect(queue.run(failing())).rejects.toThrow('broken');
    await expect(other).resolves.toBe('other');
  });
});

describe('work in a time-sliced queue', () => {
  it('is done in order of arrival, and other callbacks run in between', async () => {
    const queue = createTimeSlicedQueue({ sliceMs: 2, maxWaiting: 10_000 });
    const done: number[] = [];
    for (let i = 0; i < 3_000; i += 1) queue.enqueue(() => (spin(0.02), done.push(i)));
    const seen: number[] = [];
    await waitFor(
      () => {
        seen.push(done.length);
        return done.length === 3_000;
      },
      { everyMs: 0 },
    );
    expect(done).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
    // The work takes 60 ms, and must let other callbacks run several times.
    expect(new Set(seen).size).toBeGreaterThan(8);
  });

  it('is refused when too much waits, and accepted again when that is done', async () => {
    const queue = createTimeSlicedQueue({ sliceMs: 2, maxWaiting: 2 });
    let done = 0;
    const work = () => (done += 1);
    const accepted = [queue.enqueue(work), queue.enqueue(work), queue.enqueue(work)];
    expect(accepted).toEqual([true, true, false]);
    await waitFor(() => done === 2);
    expect(queue.enqueue(work)).toBe(true);
    await waitFor(() => done === 3);
  });
});
