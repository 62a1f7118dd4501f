import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PresenceRecord } from '@openclaw/presence';
import { limits } from '@openclaw/protocol';
import { presenceTimes } from './roster-watch.ts';
import { createRosterWatch, type RosterPage } from './roster-watch.ts';

const record = (agentId: string): PresenceRecord => ({
  ...{ agentId, status: 'online', customStatus: null, avatar: null, lastSeen: 1 },
});

function createBench() {
  const startMs = performance.now();
  const rosters = new Map<string, string[]>();
  const reported: string[] = [];
  const reads: { channelId: string; atMs: number }[] = [];
  const state = {
    degraded: false,
    readMs: 1,
    reading: 0,
    mostReading: 0,
    pages: 0,
    fails: false,
    isWhole: true,
  };
  const here = new Set<string>();
  const live = new Set<string>();
  const watch = createRosterWatch(
    {
      async readPage(channelId, cursor): Promise<RosterPage> {
        if (cursor === null) reads.push({ channelId, atMs: performance.now() });
        state.reading += 1;
        state.pages += 1;
        state.mostReading = Math.max(state.mostReading, state.reading);
        await new Promise((resolve) => setTimeout(resolve, state.readMs));
        state.reading -= 1;
        if (state.fails) throw new Error('refused');
        const all = rosters.get(channelId) ?? [];
        const start = cursor === null ? 0 : all.indexOf(cursor) + 1;
        const page = all.slice(start, start + limits.historyPage);
        const next = start + page.length < all.length ? (page.at(-1) ?? null) : null;
        return {
          presences: page.map(record),
          nextCursor: next,
          degraded: state.degraded,
          atMs: performance.now() - startMs,
        };
      },
      canAllHubsWrite: async () => state.isWhole,
      isLive: (channelId) => live.has(channelId),
      localAgentIds: () => here,
      onDifference: (channelId, records) =>
        reported.push(
          ...records.map(({ agentId, status }) => `${channelId}: ${agentId} ${status}`),
        ),
      onError: () => reported.push('an error'),
    },
    presenceTimes,
  );
  return { ...{ watch, rosters, reported, reads, state, here, live } };
}
const follow = ({ watch, live }: ReturnType<typeof createBench>, ...channelIds: string[]) => {
  for (const channelId of channelIds) {
    live.add(channelId);
    watch.follow(channelId);
  }
};
const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const { compareMs, leaseMs } = presenceTimes;

describe('a roster watch', () => {
  let bench: ReturnType<typeof createBench>;
  beforeEach(() => {
    jest.useFakeTimers();
    bench = createBench();
  });
  afterEach(() => {
    bench.watch.close();
    jest.useRealTimers();
  });

  it('reads a roster at once and then every 15 s, and reports the changes', async () => {
    bench.rosters.set('c', ['a']);
    follow(bench, 'c');
    await pass(100);
    expect(bench.reported).toEqual([]);
    bench.rosters.set('c', ['a', 'b']);
    await pass(compareMs + 300);
    expect(bench.reported).toEqual(['c: b online']);
    await pass(10 * compareMs);
    expect(bench.reads.length).toBe(12);
    expect(bench.reported).toHaveLength(1);
  });

  it('reports an agent offline when it is missing twice, but never an agent with a socket here', async () => {
    bench.rosters.set('c', ['a', 'b']);
    follow(bench, 'c');
    await pass(100);
    bench.here.add('b');
    bench.rosters.delete('c');
    await pass(compareMs + 300);
    expect(bench.reported).toEqual([]);
    await pass(compareMs + 300);
    expect(bench.reported).toEqual(['c: a offline']);
    await pass(10 * compareMs);
    expect(bench.reported).toHaveLength(1);
  });

  it('compares all channels soon after lost events, and reports no agent offline for one lease', async () => {
    bench.rosters.set('c', ['a']).set('d', []);
    follow(bench, 'c', 'd');
    await pass(100);
    bench.rosters.set('c', []).set('d', ['x']);
    bench.watch.onEventsLost();
    await pass(300);
    expect(bench.reported).toEqual(['d: x online']);
    await pass(leaseMs - 1_000);
    expect(bench.reported).toHaveLength(1);
    await pass(compareMs + 2_000);
    expect(bench.reported).toEqual(['d: x online', 'c: a offline']);
  });

  // The race: Redis is away, so the roster holds only this hub's own connections.
  it('reports nothing while Redis is away, and no agent offline for one lease after that', async () => {
    bench.rosters.set('c', ['a']);
    follow(bench, 'c');
    await pass(100);
    bench.state.degraded = true;
    bench.rosters.set('c', []);
    await pass(6 * compareMs);
    bench.state.degraded = false;
    await pass(leaseMs);
    expect(bench.reported).toEqual([]);
    await pass(3 * compareMs);
    expect(bench.reported).toEqual(['c: a offline']);
  });

  // The race: a hub dies, and a wipe removes its leases before they expire, so no reaper sees them. Negative control:
  // while one hub lives without Redis, a missing agent may be connected to it, so the agent is reported later.
  it.each([
    { how: 'every living hub writes its leases', isWhole: true },
    { how: 'the control, one hub lives without Redis', isWhole: false },
  ])(
    'after a wipe reports an agent offline when its lease has ended: $how',
    async ({ isWhole }) => {
      bench.state.isWhole = isWhole;
      bench.rosters.set('c', ['dead', 'alive']);
      follow(bench, 'c');
      await pass(100);
      await pass(20_000);
      bench.rosters.set('c', []);
      bench.watch.onRedisWiped();
      await pass(500);
      bench.rosters.set('c', ['alive']);
      await pass(leaseMs - 1_000 - 20_600);
      expect(bench.reported).toEqual([]);
      await pass(1_000 + 500);
      expect(bench.reported).toEqual(isWhole ? ['c: dead offline'] : []);
      await pass(2 * compareMs);
      expect(bench.reported).toEqual(['c: dead offline']);
    },
  );

  // The fault: a lease was about to end, so its channel was due early. But the channel waited behind all channels whose
  // regular turn came earlier.
  it('after a wipe reports an agent offline when its lease has ended, however many channels are followed', async () => {
    const others = Array.from({ length: 20 }, (_, n) => `other-${n}`);
    bench.rosters.set('c', ['dead']);
    follow(bench, ...others.slice(0, 10), 'c', ...others.slice(10));
    await pass(100);
    await pass(20_000);
    bench.rosters.set('c', []);
    bench.watch.onRedisWiped();
    await pass(leaseMs - 20_100 + 500);
    expect(bench.reported).toEqual(['c: dead offline']);
  });

  it('continues after a failed read', async () => {
    follow(bench, 'c');
    bench.state.fails = true;
    await pass(100);
    bench.state.fails = false;
    bench.rosters.set('c', ['a']);
    await pass(compareMs + 300);
    expect(bench.reported).toEqual(['an error', 'c: a online']);
  });

  it('spreads many channels, reads a few at a time, and reads each in time', async () => {
    const channelIds = Array.from({ length: 2_000 }, (_, n) => `c${n}`);
    follow(bench, ...channelIds);
    await pass(1_000);
    expect(bench.reads).toHaveLength(2_000);
    expect(bench.state.mostReading).toBeLessThanOrEqual(8);
    bench.reads.length = 0;
    await pass(compareMs + 10_000);
    expect(bench.reads).toHaveLength(2_000);
    const perTick = new Map<number, number>();
    for (const { atMs } of bench.reads) {
      const tick = Math.floor(atMs / 250);
      perTick.set(tick, (perTick.get(tick) ?? 0) + 1);
    }
    expect(Math.max(...perTick.values())).toBeLessThanOrEqual(70);
    expect(new Set(bench.reads.map(({ channelId }) => channelId)).size).toBe(bench.reads.length);
  });

  it('stops reading a roster past the push limit', async () => {
    bench.rosters.set(
      'c',
      Array.from({ length: 50_000 }, (_, n) => `a${n}`),
    );
    follow(bench, 'c');
    await pass(100);
    expect(bench.watch.view('c')?.isOverPushLimit).toBe(true);
    expect(bench.state.pages).toBe(6);
  });

  it('does not keep a subscriber waiting for a Redis that does not answer', async () => {
    bench.state.readMs = 60_000;
    follow(bench, 'c');
    let isReady = false;
    void bench.watch.ready('c').then(() => (isReady = true));
    await pass(249);
    expect(isReady).toBe(false);
    await pass(1);
    expect(isReady).toBe(true);
  });

  it('forgets a channel without sockets on this hub', async () => {
    follow(bench, 'c', 'd');
    bench.live.delete('c');
    await pass(compareMs + 300);
    expect(bench.watch.view('c')).toBeUndefined();
    expect(bench.watch.size).toBe(1);
  });
});
