import { beforeEach, describe, expect, it } from '@jest/globals';
import { createHeldOfflines } from './held-offlines.ts';

const gone = (agentId: string) => ({
  channelId: 'c',
  record: { agentId, status: 'offline', customStatus: null, avatar: null, lastSeen: 1 } as const,
});
const holdMs = 5_000;

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
  createHeldOfflines(
    {
      async isHeld(_channelId, agentId) {
        asked.push(agentId);
        if (isAway) throw new Error('away');
        return there.has(agentId);
      },
      announce: ({ record }, degraded) =>
        told.push(degraded ? `${record.agentId} alone` : record.agentId),
      monotonic: () => nowMs,
    },
    { holdMs, aloneMs: 10 * holdMs },
  );

describe('offline records that are not to be believed yet', () => {
  it('are told once, when their time is over, of those whom nobody holds', async () => {
    const held = create();
    held.hold(gone('left'));
    held.hold(gone('moved'));
    there.add('moved');
    nowMs += holdMs - 1;
    await held.look();
    expect(asked).toEqual([]);
    nowMs += 1;
    await Promise.all([held.look(), held.look()]);
    await held.look();
    expect(told).toEqual(['left']);
    expect(held.size).toBe(0);
  });

  it('are dropped when the agent comes, also while it is asked about', async () => {
    const held = create();
    held.hold(gone('before'));
    held.hold(gone('meanwhile'));
    held.drop('c', 'before');
    nowMs += holdMs;
    const looking = held.look();
    held.drop('c', 'meanwhile');
    await looking;
    expect(told).toEqual([]);
    expect(held.size).toBe(0);
  });

  it('do not wait for ever for a Redis that comes and goes', async () => {
    const held = create();
    held.hold(gone('left'));
    for (let flap = 1; flap <= 20; flap += 1) {
      nowMs = (flap * holdMs) / 2;
      held.wait();
      await held.look();
      expect(told).toEqual(flap < 20 ? [] : ['left']);
    }
  });

  it('are told as what this process knows when nobody could be asked for long, once', async () => {
    const held = create();
    held.hold(gone('left'));
    isAway = true;
    for (let beat = 1; beat <= 9; beat += 1) {
      nowMs = beat * holdMs;
      await held.look();
    }
    expect(told).toEqual([]);
    nowMs = 10 * holdMs;
    await held.look();
    await held.look();
    expect(told).toEqual(['left alone']);
    expect(held.size).toBe(0);
  });

  it('wait anew when nobody can be asked, and after a further outage', async () => {
    const held = create();
    held.hold(gone('left'));
    isAway = true;
    nowMs += holdMs;
    await held.look();
    isAway = false;
    nowMs += holdMs - 1;
    await held.look();
    held.wait();
    nowMs += holdMs - 1;
    await held.look();
    expect(told).toEqual([]);
    nowMs += 1;
    await held.look();
    expect(told).toEqual(['left']);
  });

  it('are settled at once when the tracker closes, and not told where that cannot be', async () => {
    const held = create();
    held.hold(gone('left'));
    held.hold(gone('moved'));
    there.add('moved');
    await held.close();
    expect(told).toEqual(['left']);
    held.hold(gone('unknown'));
    isAway = true;
    await held.close();
    expect(told).toEqual(['left']);
    expect(held.size).toBe(0);
  });

  it('are no more than a bound, beyond which nothing is told', async () => {
    const held = create();
    for (let n = 0; n < 100_001; n += 1) held.hold(gone(`a${n}`));
    expect(held.size).toBe(100_000);
  });
});
