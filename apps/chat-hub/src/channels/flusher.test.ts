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

function createCase() {
  const flusher = createFlusher();
  const writtenAt: number[] = [];
  const socket = { flush: () => void writtenAt.push(performance.now()) };
  const load = async (perSecond: number, forMs: number) => {
    for (let ms = 0; ms < forMs; ms += 1) {
      flusher.delivered({ channelId: 'c', events: [event], sockets: perSecond / 1_000 });
      flusher.scheduleSocket(socket);
      await jest.advanceTimersByTimeAsync(1);
    }
  };
  return { flusher, socket, writtenAt, load };
}

const gaps = (times: readonly number[]) =>
  times.slice(1).map((time, index) => time - (times[index] ?? 0));

describe('a flusher', () => {
  it('writes at the end of the turn under low load', async () => {
    const { flusher, socket, writtenAt } = createCase();
    flusher.scheduleSocket(socket);
    flusher.scheduleSocket(socket);
    expect(writtenAt).toEqual([]);
    await jest.advanceTimersByTimeAsync(0);
    expect(writtenAt).toHaveLength(1);
  });

  it('writes at most every 3 ms under high load', async () => {
    const { writtenAt, load } = createCase();
    await load(200_000, 500);
    const late = gaps(writtenAt).slice(-50);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(2.5);
    expect(Math.max(...late)).toBeLessThanOrEqual(4);
  });

  it('writes at once after a pause, even under high load', async () => {
    const { flusher, socket, writtenAt, load } = createCase();
    await load(200_000, 500);
    await jest.advanceTimersByTimeAsync(10);
    const written = writtenAt.length;
    const startMs = performance.now();
    flusher.scheduleSocket(socket);
    await jest.advanceTimersByTimeAsync(0);
    expect(writtenAt.slice(written)).toEqual([startMs]);
  });

  // Without a limit, a message to ten thousand sockets would be ten thousand writes in one turn.
  it('writes for at most a few ms in one turn, and the rest in later turns', async () => {
    let nowMs = 0;
    const flusher = createFlusher({ clock: () => nowMs });
    const turns: number[] = [];
    let written = 0;
    for (let n = 0; n < 120; n++) {
      const flush = () => {
        nowMs += 0.25;
        written += 1;
      };
      flusher.scheduleSocket({ flush });
    }
    for (let turn = 1; turn <= 20; turn++) {
      const before = written;
      jest.advanceTimersToNextTimer();
      turns.push(written - before);
    }
    expect(written).toBe(120);
    expect(Math.max(...turns)).toBeLessThanOrEqual(16);
  });

  // The race: rooms always have more events than one turn can frame. Invariant: sockets are still
  // written, and deliveries are reported and freed.
  it('writes sockets even while rooms always have more events', () => {
    let nowMs = 0;
    const batches: number[] = [];
    const flusher = createFlusher({
      clock: () => nowMs,
      onWritten: (handed) => batches.push(handed.length),
    });
    let written = 0;
    // One flush of a room takes longer than a turn allows.
    const rooms = Array.from({ length: 3 }, () => ({
      flush() {
        nowMs += 5;
        flusher.delivered({ channelId: 'c', events: [event], sockets: 1 });
        flusher.scheduleRoom(this);
      },
    }));
    for (const room of rooms) flusher.scheduleRoom(room);
    const socket = () => ({
      flush() {
        nowMs += 0.1;
        written += 1;
      },
    });
    for (let n = 0; n < 300; n++) flusher.scheduleSocket(socket());
    for (let turn = 1; turn <= 20; turn++) jest.advanceTimersToNextTimer();
    expect(written).toBe(300);
    expect(batches.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  });
});
