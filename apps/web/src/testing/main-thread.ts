import type { Browser, Page } from 'playwright-core';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of processor time; absent where the system does not count it by thread. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/**
 * Does the work, and gives the processor time of each task that the page's main thread ran meanwhile, in milliseconds.
 * Unlike the time on the clock, it does not grow when other processes take the processor.
 */
export async function tasksOf(
  browser: Browser,
  page: Page,
  work: () => Promise<void>,
): Promise<number[]> {
  await browser.startTracing(page, { categories: ['toplevel'] });
  await work();
  const trace = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  const mains = new Set(
    trace.traceEvents
      .filter(
        ({ ph, name, args }) =>
          ph === 'M' && name === 'thread_name' && args?.name === 'CrRendererMain',
      )
      .map(({ pid, tid }) => `${pid}/${tid}`),
  );
  return trace.traceEvents
    .filter(({ pid, tid, ph }) => ph === 'X' && mains.has(`${pid}/${tid}`))
    .map(({ tdur }) => {
      if (tdur === undefined) throw new Error('Chromium does not count processor time here');
      return tdur / 1_000;
    });
}
