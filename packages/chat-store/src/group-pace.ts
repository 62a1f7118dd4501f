/** How far apart groups begin. */
export interface Pace {
  /** The time until the next group may begin. */
  waitMs(): number;
  /** Reports that a group of this size begins now. */
  began(size: number): void;
}

/** See ChatStoreOptions. */
export interface PaceOptions {
  readonly gapMs: number;
  readonly busyGapMs: number;
  readonly busyAppendsPerSecond: number;
  /** @default performance.now */
  readonly clock?: () => number;
}

const measuredOverMs = 250;

/**
 * Groups begin 1 ms apart at least, so that a fast disk does not make a commit of every single command; under load 4 ms
 * apart, where larger groups save more time than the wait costs.
 */
export function createPace(options: PaceOptions): Pace {
  const { gapMs, busyGapMs, busyAppendsPerSecond, clock = () => performance.now() } = options;
  let lastMs = -Infinity;
  let windowStartMs = clock();
  let inWindow = 0;
  let isBusy = false;
  return {
    waitMs() {
      return Math.max(0, lastMs + (isBusy ? busyGapMs : gapMs) - clock());
    },
    began(size) {
      lastMs = clock();
      inWindow += size;
      const windowMs = lastMs - windowStartMs;
      if (windowMs >= measuredOverMs) {
        isBusy = (inWindow * 1000) / windowMs > busyAppendsPerSecond;
        windowStartMs = lastMs;
        inWindow = 0;
      }
    },
  };
}
