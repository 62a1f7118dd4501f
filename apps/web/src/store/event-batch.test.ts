import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createEventBatch } from './event-batch.ts';
import { sentOf } from '../testing/events.ts';

describe('events on their way to the page', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const start = (options: { max?: number; costMs?: number } = {}) => {
    let nowMs = 0;
    const batches: number[] = [];
    const batch = createEventBatch(
      (envelopes) => {
        batches.push(envelopes.length);
        nowMs += options.costMs ?? 0;
      },
      {
        ...(options.max === undefined ? {} : { max: options.max }),
        onFrame: (callback) => void setTimeout(callback, 16),
        now: () => nowMs,
      },
    );
    return {
      batches,
      batch,
      advance: (ms: number) => ((nowMs += ms), jest.advanceTimersByTime(ms)),
    };
  };

  it('are handed on together, at the next frame', () => {
    const { batches, batch, advance } = start();
    batch.push(sentOf(1));
    batch.push(sentOf(2));
    expect(batches).toEqual([]);
    advance(16);
    expect(batches).toEqual([2]);
  });

  it('come less often when there are many of them', () => {
    const { batches, batch, advance } = start();
    for (let ms = 0; ms < 3_000; ms += 10) {
      for (let n = 0; n < 10; n += 1) batch.push(sentOf(n));
      advance(10);
    }
    expect(batches.length).toBeLessThan(3_000 / 120);
    expect(batches.length).toBeGreaterThan(3_000 / 250);
  });

  it('leave the page most of its time when drawing is slow', () => {
    const { batches, batch, advance } = start({ costMs: 80 });
    for (let ms = 0; ms < 4_000; ms += 50) {
      batch.push(sentOf(1));
      advance(50);
    }
    expect(batches.length * 80).toBeLessThan(4_000 / 3);
  });

  it('are never more than fit, whether or not there are frames', () => {
    const { batches, batch } = start({ max: 5 });
    for (let n = 0; n < 12; n += 1) batch.push(sentOf(n));
    expect(batches).toEqual([5, 5]);
    batch.flush();
    expect(batches).toEqual([5, 5, 2]);
  });
});
