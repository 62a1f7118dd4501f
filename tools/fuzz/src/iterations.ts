/** A seed reproduces a run, and the search for a smaller failing case has a time limit. */
export const iterationsOf = (seed: number, runs: number) =>
  ({
    seed,
    numRuns: runs,
    interruptAfterTimeLimit: 25_000,
    markInterruptAsFailure: false,
  }) as const;
