const everyMs = 60_000;
const nextMs = 200;

/**
 * Sweeps every minute, and every 200 ms while there is more. It never keeps the process alive, and a failed sweep is tried
 * again. Returns the function that stops it.
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
