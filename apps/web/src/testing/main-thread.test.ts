import { describe, expect, it } from '@jest/globals';
import { mainThreadTasksMs, type TraceEvent } from './main-thread.ts';

const thread = { pid: 1, tid: 7 };
const name: TraceEvent = {
  ...{ ...thread, ph: 'M', name: 'thread_name', ts: 0 },
  args: { name: 'CrRendererMain' },
};
const task = (ts: number, times: Pick<TraceEvent, 'dur' | 'tdur'>): TraceEvent => ({
  ...{ ...thread, ...times, ph: 'X', name: 'RunTask', ts },
});

describe("the main thread's tasks in a trace", () => {
  it('are measured by their processor time, not by the clock', () => {
    const events = [name, task(0, { dur: 90_000, tdur: 2_000 }), task(90_000, { dur: 5, tdur: 5 })];
    expect(mainThreadTasksMs(events)).toEqual([2, 0.005]);
  });

  // Chromium 156 omits the CPU time in 177 of 11,399 events.
  it('are measured by the clock when the processor time is missing', () => {
    const events = [name, task(0, { dur: 1 }), task(10, { dur: 300, tdur: 200 })];
    expect(mainThreadTasksMs(events)).toEqual([0.001, 0.2]);
  });

  // A page that is busy when tracing begins or ends must not pass.
  it('include a long task that was running when tracing began or ended', () => {
    const events = [
      name,
      task(0, { dur: 150_000 }),
      task(200_000, { dur: 5, tdur: 5 }),
      task(200_010, {}),
      task(320_010, { dur: 5, tdur: 5 }),
    ];
    expect(mainThreadTasksMs(events).filter((ms) => ms >= 100)).toEqual([150, 120.005]);
  });

  it('cannot be measured on a system without processor time by thread', () => {
    expect(() => mainThreadTasksMs([name, task(0, { dur: 1 }), task(2, { dur: 1 })])).toThrow(
      'processor time',
    );
  });

  it('do not include the tasks of other threads', () => {
    const other = { ...task(0, { dur: 500_000, tdur: 500_000 }), tid: 8 };
    expect(mainThreadTasksMs([name, other, task(0, { dur: 2, tdur: 2 })])).toEqual([0.002]);
  });
});
