/** The pause after a piece of work, as a multiple of its duration: sweeping takes a tenth of the time at most. */
const pauseFactor = 9;
const minPauseMs = 20;
const maxPauseMs = 2_000;

/**
 * Sweeps every `everyMs`. While there is more to sweep, it continues after a pause that grows with the duration of the
 * last piece. It does not keep the process alive, and a failed sweep is repeated later. Returns the function that stops
 * it and resolves once the sweep that is under way has ended, so that no statement meets a closed database.
 */
export function startSweeper(sweep: () => Promise<boolean>, everyMs: number): () => Promise<void> {
  let isStopped = false;
  let running = Promise.resolve();
  let timer = wait(everyMs);

  function wait(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      const startMs = performance.now();
      running = sweep()
        .catch(() => false)
        .then((isMore) => {
          const pauseMs = pauseFactor * (performance.now() - startMs);
          const boundedMs = Math.min(maxPauseMs, Math.max(minPauseMs, pauseMs));
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
