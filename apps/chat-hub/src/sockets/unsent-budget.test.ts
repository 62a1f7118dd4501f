import { describe, expect, it } from '@jest/globals';
import { createUnsentBudget } from './unsent-budget.ts';

const options = { agentBytes: 100, hubBytes: 250, maxWaitMs: 20 };

describe('the budget of unsent output', () => {
  // The race: many calls start before any has an answer.
  it('lets reservations of one agent wait for each other, in order, and is never exceeded', async () => {
    const budget = createUnsentBudget({ ...options, maxWaitMs: 10_000 });
    const granted: number[] = [];
    const all = [1, 2, 3, 4, 5].map(async (n) => {
      const held = await budget.reserve('ana', 40);
      granted.push(n);
      expect(budget.bytes).toBeLessThanOrEqual(100);
      return held;
    });
    const [first, second] = await Promise.all(all.slice(0, 2));
    expect(granted).toEqual([1, 2]);
    first?.release();
    (await all[2])?.release();
    (await all[3])?.release();
    expect(granted).toEqual([1, 2, 3, 4]);
    second?.release();
    (await all[4])?.release();
    expect([granted, budget.bytes, budget.refusals]).toEqual([[1, 2, 3, 4, 5], 0, 0]);
  });

  it('refuses a reservation at once when unsent output leaves no room, and only for that agent', async () => {
    const budget = createUnsentBudget({ ...options, maxWaitMs: 10_000 });
    const socket = budget.open('ana');
    socket.settle(70);
    expect(await budget.reserve('ana', 40)).toBeNull();
    expect(await budget.reserve('ben', 40)).not.toBeNull();
    expect(budget.refusals).toBe(1);
    socket.settle(60);
    expect(await budget.reserve('ana', 40)).not.toBeNull();
  });

  it('refuses every agent when the hub has no room', async () => {
    const budget = createUnsentBudget(options);
    for (const agentId of ['a', 'b', 'c']) budget.open(agentId).settle(80);
    expect(await budget.reserve('ben', 40)).toBeNull();
    expect(budget.isOver('ben')).toBe(false);
    budget.open('d').settle(80);
    expect(budget.isOver('ben')).toBe(true);
  });

  it('refuses a reservation that has waited too long, and frees its share', async () => {
    const budget = createUnsentBudget(options);
    const held = await budget.reserve('ana', 80);
    expect(await budget.reserve('ana', 40)).toBeNull();
    held?.release();
    expect(budget.bytes).toBe(0);
    expect(await budget.reserve('ana', 100)).not.toBeNull();
  });

  it('grants a waiting reservation when the answer before it is small, and refuses it when that is large', async () => {
    const budget = createUnsentBudget({ ...options, maxWaitMs: 10_000 });
    const first = await budget.reserve('ana', 80);
    const second = budget.reserve('ana', 80);
    first?.settle(20);
    expect(await second).not.toBeNull();
    (await second)?.release();
    const third = await budget.reserve('ana', 80);
    const fourth = budget.reserve('ana', 80);
    third?.settle(80);
    expect(await fourth).toBeNull();
  });

  it('always allows a single answer, even with a small budget', async () => {
    const budget = createUnsentBudget({ agentBytes: 10, hubBytes: 10 });
    const held = await budget.reserve('ana', 40);
    expect([held === null, budget.isOver('ana')]).toEqual([false, true]);
    held?.release();
    held?.release();
    held?.settle(5);
    expect([budget.bytes, budget.isOver('ana')]).toEqual([0, false]);
  });
});
