/** The same seed repeats a run. The time limit also ends the search for a smaller failing case. */
export const iterationsOf = (seed: number, runs: number) =>
  ({
    seed,
    numRuns: runs,
    interruptAfterTimeLimit: 25_000,
    markInterruptAsFailure: false,
  }) as const;
