import { describe, expect, it } from '@jest/globals';
import { createMemoryLeaseStore, PresenceError, type LeaseStore } from '../index.ts';
import { createChangeQueue } from './change-queue.ts';

const entry = (agentId: string) => ({
  channelId: 'c',
  lease: { agentId, hubId: 'h', sessionId: 's' },
});
const state = { status: 'away', customStatus: null, avatar: null } as const;

function watched(over: Partial<LeaseStore> = {}) {
  const store = createMemoryLeaseStore();
  const calls: string[] = [];
  const outcomes: string[] = [];
  const queue = createChangeQueue({
    joinMany: (entries) => (calls.push(`${entries.length} joins`), store.joinMany(entries)),
    updateMany: (entries) => (calls.push(`${entries.length} sets`), store.updateMany(entries)),
    leaveMany: (entries) => (calls.push(`${entries.length} leaves`), store.leaveMany(entries)),
    ...over,
  });
  const put = async (kind: 'join' | 'set' | 'leave', agentId: string) => {
    const outcome = await (kind === 'set'
      ? queue.set({ channelId: 'c', agentId, state })
      : queue[kind](entry(agentId)));
    const failed = outcome instanceof PresenceError;
    outcomes.push(`${kind} ${agentId}${failed ? ` ${outcome.code}` : ''}`);
  };
  return { queue, store, calls, outcomes, put };
}

describe('the change queue', () => {
  it('sends the changes of one turn in one call of each kind, joins first and leaves last', async () => {
    const { put, calls } = watched();
    await Promise.all([put('leave', 'old'), put('join', 'a'), put('set', 'a'), put('join', 'b')]);
    expect(calls).toEqual(['2 joins', '1 sets', '1 leaves']);
  });

  it('keeps the order of the changes of one lease', async () => {
    const { put, store } = watched();
    await Promise.all([put('join', 'a'), put('leave', 'a'), put('join', 'a')]);
    expect(await store.get('c', 'a')).not.toBeNull();
    await Promise.all([put('leave', 'a'), put('join', 'a'), put('leave', 'a')]);
    expect(await store.get('c', 'a')).toBeNull();
  });

  it('divides a storm into slices, with turns of the event loop between them', async () => {
    const { put, calls, queue } = watched();
    const all = Promise.all(Array.from({ length: 1200 }, (_, n) => put('join', `a${n}`)));
    expect(queue.size).toBe(1200);
    await all;
    expect(calls).toEqual([...Array.from({ length: 4 }, () => '250 joins'), '200 joins']);
    expect(queue.size).toBe(0);
  });

  it('reports an error only to the changes that it concerns, and continues', async () => {
    const { put, outcomes } = watched({
      joinMany: () => Promise.reject(new PresenceError('unavailable', 'away')),
      leaveMany: () => Promise.reject(new Error('a bug')),
    });
    await Promise.all([put('join', 'a'), put('set', 'a'), put('leave', 'a')]);
    expect(outcomes.sort()).toEqual(['join a unavailable', 'leave a unavailable', 'set a']);
  });

  it('stops sending while too many slices are unanswered, and refuses changes beyond its limit', async () => {
    let answer: () => void = () => {};
    const held = new Promise<void>((resolve) => (answer = resolve));
    let sent = 0;
    const { put, queue } = watched({
      joinMany: async (entries) => {
        sent += entries.length;
        await held;
        return entries.map(() => new PresenceError('unavailable', 'away'));
      },
    });
    const first = Array.from({ length: 104_000 }, (_, n) => put('join', `a${n}`));
    // The queue takes 100,000 changes.
    await Promise.all(first.slice(100_000));
    expect(sent).toBe(0);
    while (sent < 2000) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toBe(2000);
    expect(queue.size).toBe(98_000);
    answer();
    await Promise.all(first);
    expect(sent).toBe(100_000);
    expect(queue.size).toBe(0);
  });
});
