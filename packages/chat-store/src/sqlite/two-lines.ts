/** Work for one thread, in two lines: what is urgent goes before all that has not been handed over. */
export interface TwoLines {
  run<T>(work: () => Promise<T>, isUrgent: boolean): Promise<T>;
}

/**
 * Keeps `width` pieces of work handed over, so that the thread never waits for the next, and the others here, where one
 * can still go before them. The lines are as long as their callers let them become.
 */
export function createTwoLines(width: number): TwoLines {
  const urgent: (() => void)[] = [];
  // A list that is cut in one piece: shift() of a long array copies it.
  let usual: (() => void)[] = [];
  let usualFrom = 0;
  let handedOver = 0;

  function takeUsual(): (() => void) | undefined {
    const next = usual[usualFrom];
    if (next === undefined) return undefined;
    usualFrom += 1;
    if (usualFrom === usual.length || usualFrom > 1_000) {
      usual = usual.slice(usualFrom);
      usualFrom = 0;
    }
    return next;
  }

  function handOver(): void {
    while (handedOver < width) {
      const next = urgent.shift() ?? takeUsual();
      if (!next) return;
      handedOver += 1;
      next();
    }
  }

  return {
    run: (work, isUrgent) =>
      new Promise((resolve, reject) => {
        (isUrgent ? urgent : usual).push(() => {
          const done = () => {
            handedOver -= 1;
            handOver();
          };
          work().then(resolve, reject).finally(done);
        });
        handOver();
      }),
  };
}
