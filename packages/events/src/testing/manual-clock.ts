import type { Schedule } from '../sequencer.ts';

export interface ManualClock {
  readonly now: () => number;
  readonly schedule: Schedule;
  advance(ms: number): void;
  readonly waiting: number;
}

export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let nowMs = startMs;
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  const nextUntil = (endMs: number) =>
    [...timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
  return {
    now: () => nowMs,
    schedule(callback, delayMs) {
      const timer = { atMs: nowMs + delayMs, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance(ms) {
      const endMs = nowMs + ms;
      for (let timer = nextUntil(endMs); timer !== undefined; timer = nextUntil(endMs)) {
        timers.delete(timer);
        nowMs = timer.atMs;
        timer.callback();
      }
      nowMs = endMs;
    },
    get waiting() {
      return timers.size;
    },
  };
}
