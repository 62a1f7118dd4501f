import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { createFlusher } from './flusher.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const event = { seq: 1 } as EncodedEnvelope;

/** A flusher with a socket that notes when it is written. */
function createCase() {
  const flusher = createFlusher();
  const writtenAt: number[] = [];
  const socket = { flush: () => void writtenAt.push(performance.now()) };
  /** So many deliveries a second, for so long, an event each millisecond. */
  const load = async (perSecond: number, forMs: number) => {
    for (let ms = 0; ms < forMs; ms += 1) {
      flusher.delivered({ channelId: 'c', events: [event], sockets: perSecond / 1_000 });
      flusher.socket(socket);
      await jest.advanceTimersByTimeAsync(1);
    }
  };
  return { flusher, socket, writtenAt, load };
}

const gaps = (times: readonly number[]) =>
  times.slice(1).map((time, index) => time - (times[index] ?? 0));

describe('a flusher', () => {
  it('writes at the end of the turn while there is little to do', async () => {
    const { flusher, socket, writtenAt } = createCase();
    flusher.socket(socket);
    flusher.socket(socket);
    expect(writtenAt).toEqual([]);
    await jest.advanceTimersByTimeAsync(0);
    expect(writtenAt).toHaveLength(1);
  });

  it('writes at most each 3 ms under load', async () => {
    const { writtenAt, load } = createCase();
    await load(200_000, 500);
    const late = gaps(writtenAt).slice(-50);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(2.5);
    expect(Math.max(...late)).toBeLessThanOrEqual(4);
  });

  it('does not hold back what comes after a pause, also under load', async () => {
    const { flusher, socket, writtenAt, load } = createCase();
    await load(200_000, 500);
    await jest.advanceTimersByTimeAsync(10);
    const written = writtenAt.length;
    const startMs = performance.now();
    flusher.socket(socket);
    await jest.advanceTimersByTimeAsync(0);
    expect(writtenAt.slice(written)).toEqual([startMs]);
  });

  // A message to ten thousand sockets would be ten thousand writes in one turn.
  it('writes no longer than a few ms in one turn, and the rest in those that follow', async () => {
    let nowMs = 0;
    const flusher = createFlusher({ clock: () => nowMs });
    const turns: number[] = [];
    let written = 0;
    // Each write takes a quarter of a ms of the clock.
    for (let n = 0; n < 120; n++) {
      const flush = () => {
        nowMs += 0.25;
        written += 1;
      };
      flusher.socket({ flush });
    }
    for (let turn = 1; turn <= 20; turn++) {
      const before = written;
      jest.advanceTimersToNextTimer();
      turns.push(written - before);
    }
    expect(written).toBe(120);
    expect(Math.max(...turns)).toBeLessThanOrEqual(16);
  });

  // The race: rooms bring more than one turn can frame, turn after turn. Invariant: the sockets are written all the
  // same, and what was written is told and let go.
  it('writes sockets also while rooms always have more to hand over', () => {
    let nowMs = 0;
    const told: number[] = [];
    const flusher = createFlusher({
      clock: () => nowMs,
      onWritten: (handed) => told.push(handed.length),
    });
    let written = 0;
    // Each takes longer than a turn may, and has more by the next turn.
    const rooms = Array.from({ length: 3 }, () => ({
      flush() {
        nowMs += 5;
        flusher.delivered({ channelId: 'c', events: [event], sockets: 1 });
        flusher.room(this);
      },
    }));
    for (const room of rooms) flusher.room(room);
    const socket = () => ({
      flush() {
        nowMs += 0.1;
        written += 1;
      },
    });
    for (let n = 0; n < 300; n++) flusher.socket(socket());
    for (let turn = 1; turn <= 20; turn++) jest.advanceTimersToNextTimer();
    expect(written).toBe(300);
    expect(told.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  });
});
