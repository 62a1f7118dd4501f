/** Work in small steps: it yields where other work may run in between. One step takes well below a millisecond. */
export type Steps<T> = Generator<void, T, void>;

/** Work that is done a slice at a time, so that it never holds up the event loop, however much there is. */
export interface Slices {
  /**
   * Does the steps, in turn with those of others. Resolves with what they return, rejects with what they throw. Each
   * caller bounds what it has under way.
   */
  run<T>(steps: Steps<T>): Promise<T>;
  /** Resolves in a later turn of the event loop: for work that lets others run between its parts. */
  pause(): Promise<void>;
}

/** Options of {@link createSlices}. */
export interface SlicesOptions {
  /** How long the steps of one turn of the event loop may take together, ms; one step at least is done. @default 3 */
  readonly sliceMs?: number;
  /** Now, in ms. @default performance.now */
  readonly clock?: () => number;
}

/** Creates the slices of one process. */
export function createSlices({
  sliceMs = 3,
  clock = () => performance.now(),
}: SlicesOptions = {}): Slices {
  /** Each job does one step and answers whether there is more; then it goes to the end of the queue. */
  const jobs = new Set<() => boolean>();
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(slice);
  }

  function slice(): void {
    isScheduled = false;
    const endMs = clock() + sliceMs;
    for (const job of jobs) {
      jobs.delete(job);
      // A finished job's awaiter runs next and needs time too.
      if (!job()) break;
      jobs.add(job);
      if (clock() >= endMs) break;
    }
    if (jobs.size > 0) schedule();
  }

  function run<T>(steps: Steps<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      jobs.add(() => {
        try {
          const { done, value } = steps.next();
          if (done) resolve(value);
          return done !== true;
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          return false;
        }
      });
      schedule();
    });
  }

  return { run, pause: () => run(nothing()) };
}

function* nothing(): Steps<void> {}

/** Does all steps at once: for work that is known to be small. */
export function runNow<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
