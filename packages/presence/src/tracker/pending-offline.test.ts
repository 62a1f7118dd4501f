import { beforeEach, describe, expect, it } from '@jest/globals';
import { createPendingOffline } from './pending-offline.ts';

const gone = (agentId: string) => ({
  channelId: 'c',
  record: { agentId, status: 'offline', customStatus: null, avatar: null, lastSeen: 1 } as const,
});
const waitMs = 5_000;

let nowMs: number;
let there: Set<string>;
let asked: string[];
let told: string[];
let isAway: boolean;
beforeEach(() => {
  nowMs = 0;
  there = new Set();
  asked = [];
  told = [];
  isAway = false;
});

const create = () =>
  createPendingOffline(
    {
      async isPresent(_channelId, agentId) {
        asked.push(agentId);
        if (isAway) throw new Error('away');
        return there.has(agentId);
      },
      announce: ({ record }, degraded) =>
        told.push(degraded ? `${record.agentId} alone` : record.agentId),
      monotonic: () => nowMs,
    },
    { waitMs, maxWaitMs: 10 * waitMs },
  );

describe('pending offline records', () => {
  it('are announced once, after their wait, if the agent has no lease', async () => {
    const pending = create();
    pending.add(gone('left'));
    pending.add(gone('moved'));
    there.add('moved');
    nowMs += waitMs - 1;
    await pending.decideDue();
    expect(asked).toEqual([]);
    nowMs += 1;
    await Promise.all([pending.decideDue(), pending.decideDue()]);
    await pending.decideDue();
    expect(told).toEqual(['left']);
    expect(pending.size).toBe(0);
  });

  it('are dropped when the agent joins again, also during the check', async () => {
    const pending = create();
    pending.add(gone('before'));
    pending.add(gone('meanwhile'));
    pending.cancel('c', 'before');
    nowMs += waitMs;
    const looking = pending.decideDue();
    pending.cancel('c', 'meanwhile');
    await looking;
    expect(told).toEqual([]);
    expect(pending.size).toBe(0);
  });

  it('wait for a Redis that keeps failing for a limited time', async () => {
    const pending = create();
    pending.add(gone('left'));
    for (let flap = 1; flap <= 20; flap += 1) {
      nowMs = (flap * waitMs) / 2;
      pending.restartWait();
      await pending.decideDue();
      expect(told).toEqual(flap < 20 ? [] : ['left']);
    }
  });

  it('are announced once, unchecked, when Redis does not answer for a lease', async () => {
    const pending = create();
    pending.add(gone('left'));
    isAway = true;
    for (let beat = 1; beat <= 9; beat += 1) {
      nowMs = beat * waitMs;
      await pending.decideDue();
    }
    expect(told).toEqual([]);
    nowMs = 10 * waitMs;
    await pending.decideDue();
    await pending.decideDue();
    expect(told).toEqual(['left alone']);
    expect(pending.size).toBe(0);
  });

  it('wait again when Redis does not answer, and after another outage', async () => {
    const pending = create();
    pending.add(gone('left'));
    isAway = true;
    nowMs += waitMs;
    await pending.decideDue();
    isAway = false;
    nowMs += waitMs - 1;
    await pending.decideDue();
    pending.restartWait();
    nowMs += waitMs - 1;
    await pending.decideDue();
    expect(told).toEqual([]);
    nowMs += 1;
    await pending.decideDue();
    expect(told).toEqual(['left']);
  });

  it('are decided at once when the tracker closes, or dropped when Redis does not answer', async () => {
    const pending = create();
    pending.add(gone('left'));
    pending.add(gone('moved'));
    there.add('moved');
    await pending.close();
    expect(told).toEqual(['left']);
    pending.add(gone('unknown'));
    isAway = true;
    await pending.close();
    expect(told).toEqual(['left']);
    expect(pending.size).toBe(0);
  });

  it('are bounded; further ones are dropped', async () => {
    const pending = create();
    for (let n = 0; n < 100_001; n += 1) pending.add(gone(`a${n}`));
    expect(pending.size).toBe(100_000);
  });
});
