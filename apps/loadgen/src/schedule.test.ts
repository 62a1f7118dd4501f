import { describe, expect, it } from '@jest/globals';
import { createSchedule, type DueOperation, type ScheduleOptions } from './schedule.ts';

const none = { message: 0, typing: 0, presence: 0, reaction: 0 };

function takeAll(options: Partial<ScheduleOptions>, untilMs = Infinity): DueOperation[] {
  const schedule = createSchedule({
    startMs: 1000,
    endMs: 2000,
    agents: 3,
    rates: none,
    isOurs: () => true,
    ...options,
  });
  const taken: DueOperation[] = [];
  for (let due = schedule.take(untilMs); due; due = schedule.take(untilMs)) taken.push(due);
  return taken;
}

describe('a schedule', () => {
  it('fixes all times beforehand: a late reader gets everything that was due, with its due times', () => {
    const taken = takeAll({ rates: { ...none, message: 4 } });
    expect(taken.map(({ dueMs }) => dueMs)).toEqual([1000, 1250, 1500, 1750]);
    expect(taken.map(({ agent }) => agent)).toEqual([0, 1, 2, 0]);
    expect(taken.map(({ turn }) => turn)).toEqual([0, 1, 2, 3]);
  });

  it('gives nothing before its time', () => {
    expect(takeAll({ rates: { ...none, message: 4 } }, 1300)).toHaveLength(2);
    expect(takeAll({ rates: { ...none, message: 4 } }, 999)).toEqual([]);
  });

  it('merges the kinds in the order of their times', () => {
    const taken = takeAll({ rates: { ...none, message: 2, presence: 4 } });
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
    for (const kind of ['message', 'typing', 'presence', 'reaction'] as const) {
      for (const agents of [1, 7, 26, 111]) {
        const taken = takeAll({ agents, rates: { ...none, [kind]: agents } });
        expect(new Set(taken.map(({ agent }) => agent)).size).toBe(agents);
      }
    }
  });

  it('is divided among threads without a gap or overlap', () => {
    const rates = { message: 50, typing: 3, presence: 7, reaction: 0.5 };
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
    expect(takeAll({ rates: { ...none, message: 1000 }, isOurs: () => false })).toEqual([]);
  });
});
