import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ChatStore } from '@openclaw/chat-store';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { pino } from 'pino';
import { createMetrics } from '../observe/metrics.ts';
import type { Rooms } from '../channels/rooms.ts';
import { startTailCheck } from './tail-check.ts';

/** A database with one channel `c`, and a hub that has delivered it up to 5. */
async function createBench() {
  const database = { epoch: 'first life', head: 5, isAway: false, mark: 1, eventId: 'event 5' };
  /** What the next checks are told of; else of `c`. */
  const reported: { current?: { channelId: string; head: number }[] } = {};
  const other = { channelId: 'o', head: 9 };
  /** How often telling of another life will fail. */
  const failures = { left: 0 };
  const lives: string[] = [];
  const raised: number[] = [];
  const changes = async () => {
    if (database.isAway) throw new Error('the database is away');
    const { epoch, head, mark } = database;
    return {
      ...{ mark: { next: mark, open: [] }, hasMore: false, epoch, revoked: [], horizonLag: 0 },
      heads: reported.current ?? [{ channelId: 'c', head }],
    };
  };
  const heads = () =>
    new Map([
      ['c', database.head],
      ['o', other.head],
    ]);
  const room = { head: 5, raise: (head: number) => raised.push(head) };
  const check = await startTailCheck({
    store: {
      changes,
      heads: async () => heads(),
      recentHeads: async () => heads(),
      logPage: async () => ({ events: [{ id: database.eventId }] }),
      async changeEpoch(expected: string) {
        if (expected === database.epoch) database.epoch = 'next life';
        return database.epoch;
      },
    } as unknown as ChatStore,
    rooms: {
      get: (channelId: string) => (channelId === 'c' ? room : undefined),
      channelIds: () => ['c'],
    } as unknown as Rooms,
    ...{ metrics: createMetrics(), log: pino({ level: 'silent' }) },
    isBusAvailable: () => true,
    onRevoked: () => undefined,
    onDirect: () => undefined,
    async onEpoch(epoch) {
      failures.left -= 1;
      if (failures.left >= 0) throw new Error('the database is away');
      lives.push(epoch);
      room.head = database.head;
    },
  });
  return { check, database, failures, lives, raised, reported, other };
}

describe('the tail check', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  const aWhile = () => jest.advanceTimersByTimeAsync(5_000);

  it('fetches what the bus did not bring', async () => {
    const { check, database, raised, lives } = await createBench();
    database.head = 8;
    await aWhile();
    expect(raised).toContain(8);
    expect(lives).toEqual([]);
    await check.close();
  });

  // The race: the database is restored from a backup while the hub cannot reach it, and nobody changes its epoch. The
  // hub has delivered more than the log now holds. Invariant: that is another life, and is told once.
  it('begins another epoch when the database comes back with less than was delivered', async () => {
    const { check, database, lives } = await createBench();
    database.isAway = true;
    await aWhile();
    Object.assign(database, { isAway: false, head: 3 });
    await aWhile();
    expect(database.epoch).toBe('next life');
    expect(lives).toEqual(['next life']);
    await check.close();
  });

  it('begins no other epoch when the database comes back with all that was delivered', async () => {
    const { check, database, lives } = await createBench();
    database.isAway = true;
    await aWhile();
    Object.assign(database, { isAway: false, head: 6 });
    await aWhile();
    expect([database.epoch, lives]).toEqual(['first life', []]);
    await check.close();
  });

  // The race: the store fails in the midst of telling everyone. Invariant: a change of epoch is told until it is told.
  it('tells of another epoch until that succeeds', async () => {
    const { check, database, failures, lives } = await createBench();
    failures.left = 2;
    database.epoch = 'changed elsewhere';
    await aWhile();
    expect(failures.left).toBeLessThan(0);
    expect(lives).toEqual(['changed elsewhere']);
    await check.close();
  });

  describe('of a database that was restored without any check failing', () => {
    it('begins another epoch when a channel is reported with less than before', async () => {
      const { check, database, lives } = await createBench();
      database.head = 8;
      await aWhile();
      database.head = 7;
      await aWhile();
      expect(lives).toEqual(['next life']);
      await check.close();
    });

    // A restored copy has the heads it was made with, and reports none of them as new. The marks, which count what was
    // committed, begin again with the copy's.
    it('begins another epoch when marks go back and a channel that nobody hears has less', async () => {
      const { check, database, lives, reported, other } = await createBench();
      reported.current = [];
      database.mark = 50;
      await jest.advanceTimersByTimeAsync(2_000);
      other.head = 4;
      await jest.advanceTimersByTimeAsync(2_000);
      // The negative control: without a reason nobody has looked yet.
      expect(lives).toEqual([]);
      database.mark = 20;
      await jest.advanceTimersByTimeAsync(2_000);
      expect(lives).toEqual(['next life']);
      await check.close();
    });

    it('begins no other epoch when marks go back and nothing is lost', async () => {
      const { check, database, lives, reported } = await createBench();
      reported.current = [];
      database.mark = 50;
      await aWhile();
      database.mark = 20;
      await aWhile();
      expect(lives).toEqual([]);
      await check.close();
    });

    it('looks every ten seconds without a reason', async () => {
      const { check, lives, reported, other } = await createBench();
      reported.current = [];
      await aWhile();
      other.head = 4;
      await jest.advanceTimersByTimeAsync(10_000);
      expect(lives).toEqual(['next life']);
      await check.close();
    });

    // The race: the log grows past what was lost before anybody looks, so that no head is behind. Invariant: one seq names
    // one event.
    it('begins another epoch when the store holds another event where one was delivered', async () => {
      const { check, database, lives } = await createBench();
      const delivered = { channelId: 'c', seq: 5, id: 'event 5', epoch: 'first life' };
      check.doubt(delivered as EncodedEnvelope);
      await aWhile();
      expect(lives).toEqual([]);
      database.eventId = 'another event 5';
      check.doubt(delivered as EncodedEnvelope);
      await aWhile();
      expect(lives).toEqual(['next life']);
      await check.close();
    });
  });
});
