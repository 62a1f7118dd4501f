/** What every fuzzer asks of fast-check: a run that is the same again by its seed, and a search for a smaller failure that ends. */
export const roundOf = (seed: number, runs: number) =>
  ({
    seed,
    numRuns: runs,
    interruptAfterTimeLimit: 25_000,
    markInterruptAsFailure: false,
  }) as const;
