const everyMs = 60_000;
const nextMs = 200;

/**
 * Sweeps from time to time, and piece after piece while there is something to sweep. It never keeps the process alive;
 * what fails is tried again. Returns the stop.
 */
export function startSweeper(sweep: () => Promise<boolean>): () => void {
  let isStopped = false;
  let timer = wait(everyMs);

  function wait(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      void sweep()
        .catch(() => false)
        .then((isMore) => {
          if (!isStopped) timer = wait(isMore ? nextMs : everyMs);
        });
    }, ms).unref();
  }

  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
