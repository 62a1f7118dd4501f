/** Work in small steps: it yields where other work may run in between. One step takes well below a millisecond. */
export type Steps<T> = Generator<void, T, void>;

/** A queue of work done in slices of a few milliseconds, so that the event loop is never blocked for longer. */
export interface TimeSlicedQueue {
  /**
   * Does the steps, alternating with those of other callers. Resolves with what they return, rejects with what they
   * throw. Accepts any amount: each caller bounds what it has in progress.
   */
  run<T>(steps: Steps<T>): Promise<T>;
  /** Resolves in a later turn of the event loop, for work that lets others run between its parts. */
  pause(): Promise<void>;
  /** Does the work, which must not throw, in order of arrival. Returns false when too much waits already. */
  enqueue(work: () => void): boolean;
}

export interface TimeSlicedQueueOptions {
  /** How long the work of one turn of the event loop may take; at least one piece is done. @default 3 */
  readonly sliceMs?: number;
  /** How much work may wait before `enqueue` refuses more. @default unbounded */
  readonly maxWaiting?: number;
  /** Now, in ms. @default performance.now */
  readonly clock?: () => number;
}

export function createTimeSlicedQueue({
  sliceMs = 3,
  maxWaiting = Infinity,
  clock = () => performance.now(),
}: TimeSlicedQueueOptions = {}): TimeSlicedQueue {
  /** Each job does one piece and returns true when it has more; then it goes to the end of the queue. */
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
        // The caller continues after this turn's callback, and its work takes time too.
        endMs = -Infinity;
        return false;
      });
    });
  }

  return {
    run,
    pause: () => run(noSteps()),
    enqueue(work) {
      if (jobs.size >= maxWaiting) return false;
      add(() => {
        work();
        return false;
      });
      return true;
    },
  };
}

function* noSteps(): Steps<void> {}
