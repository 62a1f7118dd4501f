import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHeartbeat } from './renewal.ts';
import type { RenewEntry } from '../lease-store/lease-store.ts';

const state = { status: 'online', customStatus: null, avatar: null } as const;
const entry = (n: number): RenewEntry => ({
  channelId: `c${n % 10}`,
  lease: { agentId: `a${n}`, hubId: 'h', sessionId: 's' },
  state,
});

describe('the heartbeat', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  function beating(entries: RenewEntry[], takes: () => boolean = () => true) {
    const slices: { atMs: number; leases: string[]; overdue: boolean }[] = [];
    const heartbeat = createHeartbeat(
      {
        entries: () => entries[Symbol.iterator](),
        get size() {
          return entries.length;
        },
        renew: (slice, overdue) => {
          slices.push({
            atMs: performance.now() - startMs,
            leases: slice.map(({ lease }) => lease.agentId),
            overdue,
          });
          return Promise.resolve(takes());
        },
        monotonic: () => performance.now(),
      },
      { leaseMs: 30_000, heartbeatMs: 10_000 },
    );
    const startMs = performance.now();
    return { heartbeat, slices };
  }

  it('renews each lease once per round', async () => {
    const entries = Array.from({ length: 111 }, (_, n) => entry(n));
    const { heartbeat, slices } = beating(entries);
    await jest.advanceTimersByTimeAsync(60_500);
    heartbeat.close();
    expect(slices.map(({ atMs }) => Math.round(atMs / 1000))).toEqual([10, 20, 30, 40, 50, 60]);
    for (const { leases } of slices) expect(leases).toHaveLength(111);
  });

  it('spreads many leases over the first half of the round', async () => {
    const entries = Array.from({ length: 50_000 }, (_, n) => entry(n));
    const { heartbeat, slices } = beating(entries);
    await jest.advanceTimersByTimeAsync(19_900);
    expect(Math.max(...slices.map(({ leases }) => leases.length))).toBe(500);
    expect(slices).toHaveLength(100);
    expect(new Set(slices.flatMap(({ leases }) => leases)).size).toBe(50_000);
    expect(slices.at(-1)!.atMs).toBeLessThanOrEqual(15_100);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(slices).toHaveLength(200);
    heartbeat.close();
  });

  it('retries soon after a failure, and is overdue after a lease', async () => {
    let takes = false;
    const { heartbeat, slices } = beating([entry(0)], () => takes);
    await jest.advanceTimersByTimeAsync(30_500);
    expect(slices.length).toBe(21);
    expect(slices.every(({ overdue }) => !overdue)).toBe(true);
    expect(heartbeat.isOverdue).toBe(true);
    takes = true;
    await jest.advanceTimersByTimeAsync(1000);
    expect(slices.at(-1)!.overdue).toBe(true);
    expect(heartbeat.isOverdue).toBe(false);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(slices.at(-1)!.overdue).toBe(false);
    heartbeat.close();
  });

  it('renews all leases at once on request, and none after close', async () => {
    const entries = Array.from({ length: 1000 }, (_, n) => entry(n));
    const { heartbeat, slices } = beating(entries);
    heartbeat.renewAllNow();
    await jest.advanceTimersByTimeAsync(10);
    expect(slices.flatMap(({ leases }) => leases)).toHaveLength(1000);
    heartbeat.close();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(slices.flatMap(({ leases }) => leases)).toHaveLength(1000);
    expect(jest.getTimerCount()).toBe(0);
  });
});
