import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { createTurns } from './turns.ts';

function spin(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

describe('work in turns', () => {
  it('is done in the order of its coming, and what else is ready comes in between', async () => {
    const turns = createTurns({ sliceMs: 2, max: 10_000 });
    const done: number[] = [];
    for (let i = 0; i < 3_000; i += 1) turns.take(() => (spin(0.02), done.push(i)));
    const seen: number[] = [];
    await waitFor(
      () => {
        seen.push(done.length);
        return done.length === 3_000;
      },
      { everyMs: 0 },
    );
    expect(done).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
    // 60 ms of work, and others had their say many times meanwhile.
    expect(new Set(seen).size).toBeGreaterThan(8);
  });

  it('takes no more than may wait, and goes on when that is done', async () => {
    const turns = createTurns({ sliceMs: 2, max: 2 });
    let done = 0;
    const work = () => (done += 1);
    expect([turns.take(work), turns.take(work), turns.take(work)]).toEqual([true, true, false]);
    await waitFor(() => done === 2);
    expect(turns.take(work)).toBe(true);
    await waitFor(() => done === 3);
  });
});
