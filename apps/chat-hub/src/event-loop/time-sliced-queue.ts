/** The generator yields wherever other work may run. Each step takes well below a millisecond. */
export type Steps<T> = Generator<void, T, void>;

/** Work runs in slices of a few milliseconds, so that the event loop is never blocked for longer. */
export function createTimeSlicedQueue({
  /** How long one slice may take. Each slice does at least one step. */
  sliceMs = 3,
  maxWaiting = Infinity,
  clock = () => performance.now(),
} = {}) {
  /** A job does one step, and returns true when it has more. The job then moves to the end of the queue. */
  const jobs = new Set<() => boolean>();
  let isScheduled = false;
  let endMs = 0;

  function add(job: () => boolean): void {
    jobs.add(job);
    schedule();
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(slice);
  }

  function slice(): void {
    isScheduled = false;
    endMs = clock() + sliceMs;
    for (const job of jobs) {
      jobs.delete(job);
      if (job()) jobs.add(job);
      if (clock() >= endMs) break;
    }
    if (jobs.size > 0) schedule();
  }

  /**
   * Alternates these steps with the steps of other callers. `maxWaiting` does not apply here, because callers limit
   * their own work.
   */
  function run<T>(steps: Steps<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      add(() => {
        try {
          const { done, value } = steps.next();
          if (!done) return true;
          resolve(value);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        // The slice ends here, because the caller continues in the same turn and also needs time.
        endMs = -Infinity;
        return false;
      });
    });
  }

  return {
    run,
    pause: () => run(noSteps()),
    /** `work` must not throw. Returns false when too much work is waiting. */
    enqueue(work: () => void) {
      if (jobs.size >= maxWaiting) return false;
      add(() => {
        work();
        return false;
      });
      return true;
    },
  };
}

export type TimeSlicedQueue = ReturnType<typeof createTimeSlicedQueue>;

function* noSteps(): Steps<void> {}

/** Use it only for work that is known to be small. */
export function runNow<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
