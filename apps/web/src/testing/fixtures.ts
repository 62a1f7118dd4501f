import { jest } from '@jest/globals';
import type { FailureReports } from '../page/notices.ts';
import type { ReadMarks } from '../store/read-marks.ts';

export const noFailures: FailureReports = {
  report: (what) => (error) => {
    throw new Error(what, { cause: error });
  },
  reportWhileLive: (what) => noFailures.report(what),
};

export const noOtherTabs: ReadMarks = {
  tell: () => undefined,
  onMark: () => undefined,
  repliesOf: () => [],
  keepReplies: () => undefined,
};

/** Dispose of the result to get real timers again. `settle` runs all that is due now, without advancing the time. */
export function useFakeTimers() {
  jest.useFakeTimers();
  return {
    settle: () => jest.advanceTimersByTimeAsync(0),
    advance: (ms: number) => jest.advanceTimersByTimeAsync(ms),
    [Symbol.dispose]: () => void jest.useRealTimers(),
  };
}
