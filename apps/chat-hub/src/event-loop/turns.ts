/** Work that may wait, done a slice at a time, so that what is ready meanwhile comes in between. */
export interface Turns {
  /** Takes on the work, to be done in the order of its coming; false when too much waits already. It must not throw. */
  take(work: () => void): boolean;
}

/** Options of {@link createTurns}. */
export interface TurnsOptions {
  /** How long the work of one turn of the event loop may take, ms; at least one piece is done. */
  readonly sliceMs: number;
  /** Pieces that may wait. */
  readonly max: number;
}

/** Creates an empty queue. */
export function createTurns({ sliceMs, max }: TurnsOptions): Turns {
  let queue: (() => void)[] = [];
  let next = 0;

  function turn(): void {
    const endMs = performance.now() + sliceMs;
    do {
      queue[next]?.();
      next += 1;
    } while (next < queue.length && performance.now() < endMs);
    if (next === queue.length) {
      queue = [];
      next = 0;
      return;
    }
    if (next > 1_024 && 2 * next > queue.length) {
      queue = queue.slice(next);
      next = 0;
    }
    setImmediate(turn);
  }

  return {
    take(work) {
      if (queue.length - next >= max) return false;
      if (queue.length === 0) setImmediate(turn);
      queue.push(work);
      return true;
    },
  };
}
