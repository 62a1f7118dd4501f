import { describe, expect, it } from '@jest/globals';
import { sentOf } from '../testing/events.ts';
import { useFakeTimers } from '../testing/fixtures.ts';
import { createEventBatch } from './event-batch.ts';

/** Applying a batch takes `costMs`; frames come every 16 ms. */
function createFixture({ max = 20_000, costMs = 0 } = {}) {
  const timers = useFakeTimers();
  let nowMs = 0;
  const sizes: number[] = [];
  const onBatch = (envelopes: readonly unknown[]) => {
    sizes.push(envelopes.length);
    nowMs += costMs;
  };
  const onFrame = (callback: () => void) => void setTimeout(callback, 16);
  const batch = createEventBatch(onBatch, { max, onFrame, now: () => nowMs });
  const push = (count: number) => {
    for (let n = 0; n < count; n += 1) batch.push(sentOf(n));
  };
  const advance = (ms: number) => {
    nowMs += ms;
    return timers.advance(ms);
  };
  return { ...timers, sizes, batch, push, advance };
}

describe('events for the page', () => {
  it('are delivered together at the next frame', async () => {
    using fixture = createFixture();
    fixture.push(2);
    expect(fixture.sizes).toEqual([]);
    await fixture.advance(16);
    expect(fixture.sizes).toEqual([2]);
  });

  it('are delivered less often under load', async () => {
    using fixture = createFixture();
    for (let ms = 0; ms < 3_000; ms += 10) {
      fixture.push(10);
      await fixture.advance(10);
    }
    expect(fixture.sizes.length).toBeLessThan(3_000 / 120);
    expect(fixture.sizes.length).toBeGreaterThan(3_000 / 250);
  });

  it('take at most a third of the time when drawing is slow', async () => {
    using fixture = createFixture({ costMs: 80 });
    for (let ms = 0; ms < 4_000; ms += 50) {
      fixture.push(1);
      await fixture.advance(50);
    }
    expect(fixture.sizes.length * 80).toBeLessThan(4_000 / 3);
  });

  it('wait in a bounded number, also without frames', () => {
    using fixture = createFixture({ max: 5 });
    fixture.push(12);
    expect(fixture.sizes).toEqual([5, 5]);
    fixture.batch.flush();
    expect(fixture.sizes).toEqual([5, 5, 2]);
  });
});
