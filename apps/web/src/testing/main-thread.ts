import type { Browser, Page } from 'playwright-core';

export interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  /** The duration is absent for a task that was running when tracing ended. */
  readonly dur?: number;
  /**
   * The CPU time is absent for a task that is too short to measure, and for a task that was running when tracing
   * began or ended.
   */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/**
 * Resolves with the CPU time in ms of each task of the page's main thread during `work`. Unlike elapsed time, it does
 * not grow when other processes use the CPU.
 */
export async function tasksOf(
  browser: Browser,
  page: Page,
  work: () => Promise<void>,
): Promise<number[]> {
  await browser.startTracing(page, { categories: ['toplevel'] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  return mainThreadTasksMs(traceEvents);
}

/**
 * Returns the CPU time in ms of each main-thread task. A task without CPU time counts with its elapsed time, which is
 * never less, so a long task is always found. @throws {Error} when no task has a CPU time, because the system does
 * not count it by thread
 */
export function mainThreadTasksMs(events: readonly TraceEvent[]): number[] {
  const mains = new Set(
    events
      .filter(
        ({ ph, name, args }) =>
          ph === 'M' && name === 'thread_name' && args?.name === 'CrRendererMain',
      )
      .map(({ pid, tid }) => `${pid}/${tid}`),
  );
  const tasks = events.filter(({ pid, tid, ph }) => ph === 'X' && mains.has(`${pid}/${tid}`));
  if (tasks.length > 0 && tasks.every(({ tdur }) => tdur === undefined)) {
    throw new Error('Chromium does not count processor time here');
  }
  const endTs = tasks.reduce((latest, { ts, dur = 0 }) => Math.max(latest, ts + dur), 0);
  return tasks.map(({ ts, dur, tdur }) => (tdur ?? dur ?? endTs - ts) / 1_000);
}
