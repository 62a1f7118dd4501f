import { describe, expect, it } from '@jest/globals';
import { operationKinds } from './plan.ts';
import { noRates } from './scenarios.ts';
import { createPace, createSchedule, type DueOperation, type ScheduleOptions } from './schedule.ts';

function takeAll(options: Partial<ScheduleOptions>, untilMs = Infinity): DueOperation[] {
  const schedule = createSchedule({
    startMs: 1000,
    endMs: 2000,
    agents: 3,
    rates: noRates,
    burst: null,
    isOurs: () => true,
    ...options,
  });
  const taken: DueOperation[] = [];
  for (let due = schedule.take(untilMs); due; due = schedule.take(untilMs)) taken.push(due);
  return taken;
}

describe('a schedule', () => {
  it('fixes all times beforehand: a late reader gets everything that was due, with its due times', () => {
    const taken = takeAll({ rates: { ...noRates, message: 4 } });
    expect(taken.map(({ dueMs }) => dueMs)).toEqual([1000, 1250, 1500, 1750]);
    expect(taken.map(({ agent }) => agent)).toEqual([0, 1, 2, 0]);
    expect(taken.map(({ turn }) => turn)).toEqual([0, 1, 2, 3]);
  });

  it('returns no operation before it is due', () => {
    expect(takeAll({ rates: { ...noRates, message: 4 } }, 1300)).toHaveLength(2);
    expect(takeAll({ rates: { ...noRates, message: 4 } }, 999)).toEqual([]);
  });

  it('merges the kinds in the order of their times', () => {
    const taken = takeAll({ rates: { ...noRates, message: 2, presence: 4 } });
    expect(taken.map(({ kind, dueMs }) => `${kind} ${dueMs}`)).toEqual([
      'message 1000',
      'presence 1000',
      'presence 1250',
      'message 1500',
      'presence 1500',
      'presence 1750',
    ]);
  });

  it('visits every agent before it visits one again, in each kind', () => {
    for (const kind of operationKinds) {
      for (const agents of [1, 7, 26, 111]) {
        const taken = takeAll({ agents, rates: { ...noRates, [kind]: agents } });
        expect(new Set(taken.map(({ agent }) => agent)).size).toBe(agents);
      }
    }
  });

  it('is divided among threads without a gap or overlap', () => {
    const rates = { ...noRates, message: 50, typing: 3, presence: 7, reaction: 0.5 };
    const whole = takeAll({ agents: 11, rates });
    const parts = [0, 1, 2].flatMap((part) =>
      takeAll({ agents: 11, rates, isOurs: (agent) => agent % 3 === part }),
    );
    const keys = (operations: DueOperation[]) =>
      operations.map(({ kind, turn, agent, dueMs }) => `${kind} ${turn} ${agent} ${dueMs}`).sort();
    expect(keys(parts)).toEqual(keys(whole));
    expect(whole).toHaveLength(50 + 3 + 7 + 1);
  });

  it('is empty without agents', () => {
    expect(takeAll({ rates: { ...noRates, message: 1000 }, isOurs: () => false })).toEqual([]);
  });
});

describe('a pace with bursts', () => {
  const burst = { everyMs: 1_000, lengthMs: 200, factor: 5 };

  it('has the factor times as many turns in each burst, and the rate outside', () => {
    // 10 turns in the burst of 200 ms at 50 a second, 8 in the other 800 ms at 10 a second.
    const offsetMs = createPace(10, burst);
    expect([0, 1, 9, 10, 11, 17, 18, 28].map(offsetMs).map(Math.round)).toEqual([
      0, 20, 180, 200, 300, 900, 1_000, 1_200,
    ]);
  });

  it('never goes back in time', () => {
    const offsetMs = createPace(7.3, burst);
    const times = Array.from({ length: 500 }, (_, turn) => offsetMs(turn));
    expect(times.every((time, turn) => turn === 0 || time > (times[turn - 1] ?? 0))).toBe(true);
  });

  it('is for messages only', () => {
    const taken = takeAll({ rates: { ...noRates, message: 10, typing: 10 }, burst });
    const count = (kind: string) => taken.filter((due) => due.kind === kind).length;
    expect([count('message'), count('typing')]).toEqual([18, 10]);
  });
});
