/** Parameters for fast-check: a seed reproduces the run, and the search for a smaller failing case is bounded in time. */
export const iterationsOf = (seed: number, runs: number) =>
  ({
    seed,
    numRuns: runs,
    interruptAfterTimeLimit: 25_000,
    markInterruptAsFailure: false,
  }) as const;
