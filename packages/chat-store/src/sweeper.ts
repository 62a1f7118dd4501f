/**
 * A piece is one call of `sweep`. The pause after it is `factor` times the duration of that piece, but at least `minMs`
 * and at most two seconds.
 */
export interface SweepPause {
  readonly factor: number;
  readonly minMs: number;
}

/** Sweeping takes at most a tenth of the time, unless a piece takes more than 0.2 s. */
const defaultPause: SweepPause = { factor: 9, minMs: 20 };
const maxPauseMs = 2_000;

/**
 * Sweeps every `everyMs`. While there is more to sweep, it continues after a pause that grows with the last piece's
 * duration. Does not keep the process alive. Returns a function that stops it and resolves when the running sweep has
 * ended.
 */
export function startSweeper(
  sweep: () => Promise<boolean>,
  everyMs: number,
  pauseNow: () => SweepPause = () => defaultPause,
): () => Promise<void> {
  let isStopped = false;
  let running = Promise.resolve();
  let timer = wait(everyMs);

  function wait(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      const startMs = performance.now();
      running = sweep()
        .catch(() => false)
        .then((isMore) => {
          const { factor, minMs } = pauseNow();
          const pauseMs = factor * (performance.now() - startMs);
          const boundedMs = Math.min(maxPauseMs, Math.max(minMs, pauseMs));
          if (!isStopped) timer = wait(isMore ? boundedMs : everyMs);
        });
    }, ms).unref();
  }

  return () => {
    isStopped = true;
    clearTimeout(timer);
    return running;
  };
}
