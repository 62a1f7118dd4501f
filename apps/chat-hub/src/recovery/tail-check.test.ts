import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ChatStore } from '@openclaw/chat-store';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { pino } from 'pino';
import { createMetrics } from '../observe/metrics.ts';
import type { Rooms } from '../channels/rooms.ts';
import { startTailCheck } from './tail-check.ts';

async function createBench() {
  const database = { epoch: 'first epoch', head: 5, isAway: false, mark: 1, eventId: 'event 5' };
  /** The next checks report these heads. @default the head of `c` */
  const reported: { current?: { channelId: string; head: number }[] } = {};
  const other = { channelId: 'o', head: 9 };
  /** The next `left` calls of `onEpoch` will fail. */
  const failures = { left: 0 };
  const epochs: string[] = [];
  const raised: number[] = [];
  const changes = async () => {
    if (database.isAway) throw new Error('the database is away');
    const { epoch, head, mark } = database;
    return {
      mark: { next: mark, open: [] },
      hasMore: false,
      epoch,
      revoked: [],
      transactionLag: 0,
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
      logPage: async () => ({ events: [{ id: database.eventId }], floor: 1 }),
      async changeEpoch(expected: string) {
        if (expected === database.epoch) database.epoch = 'next epoch';
        return database.epoch;
      },
    } as unknown as ChatStore,
    rooms: {
      get: (channelId: string) => (channelId === 'c' ? room : undefined),
      channelIds: () => ['c'],
    } as unknown as Rooms,
    metrics: createMetrics(),
    log: pino({ level: 'silent' }),
    isBusAvailable: () => true,
    onRevoked: () => undefined,
    onDirect: () => undefined,
    onFreezes: async () => undefined,
    async onEpoch(epoch) {
      failures.left -= 1;
      if (failures.left >= 0) throw new Error('the database is away');
      epochs.push(epoch);
      room.head = database.head;
    },
  });
  return { check, database, failures, epochs, raised, reported, other };
}

describe('the tail check', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  const aWhile = () => jest.advanceTimersByTimeAsync(5_000);

  it('finds an event that the bus lost', async () => {
    const { check, database, raised, epochs } = await createBench();
    database.head = 8;
    await aWhile();
    expect(raised).toContain(8);
    expect(epochs).toEqual([]);
    await check.close();
  });

  // The race: a backup is restored without a change of its epoch while the hub cannot reach the database. The hub has
  // delivered more events than the log now holds.
  it('begins a new epoch when the database comes back without some delivered events', async () => {
    const { check, database, epochs } = await createBench();
    database.isAway = true;
    await aWhile();
    Object.assign(database, { isAway: false, head: 3 });
    await aWhile();
    expect(database.epoch).toBe('next epoch');
    expect(epochs).toEqual(['next epoch']);
    await check.close();
  });

  it('keeps the epoch when the database comes back with all delivered events', async () => {
    const { check, database, epochs } = await createBench();
    database.isAway = true;
    await aWhile();
    Object.assign(database, { isAway: false, head: 6 });
    await aWhile();
    expect([database.epoch, epochs]).toEqual(['first epoch', []]);
    await check.close();
  });

  // The race: the store fails while the hub enters the new epoch.
  it('repeats the change of epoch until it succeeds', async () => {
    const { check, database, failures, epochs } = await createBench();
    failures.left = 2;
    database.epoch = 'changed elsewhere';
    await aWhile();
    expect(failures.left).toBeLessThan(0);
    expect(epochs).toEqual(['changed elsewhere']);
    await check.close();
  });

  describe('on a database that was restored without a failed check', () => {
    it('begins a new epoch when the head of a channel is lower than before', async () => {
      const { check, database, epochs } = await createBench();
      database.head = 8;
      await aWhile();
      database.head = 7;
      await aWhile();
      expect(epochs).toEqual(['next epoch']);
      await check.close();
    });

    // After a restore, heads and marks are those of the backup, and no head is reported as changed.
    it('begins a new epoch when marks go back and a channel without subscribers has a lower head', async () => {
      const { check, database, epochs, reported, other } = await createBench();
      reported.current = [];
      database.mark = 50;
      await jest.advanceTimersByTimeAsync(2_000);
      other.head = 4;
      await jest.advanceTimersByTimeAsync(2_000);
      // Negative control: nothing has failed and the mark is not lower, so the heads are not read yet.
      expect(epochs).toEqual([]);
      database.mark = 20;
      await jest.advanceTimersByTimeAsync(2_000);
      expect(epochs).toEqual(['next epoch']);
      await check.close();
    });

    it('keeps the epoch when marks go back and nothing is lost', async () => {
      const { check, database, epochs, reported } = await createBench();
      reported.current = [];
      database.mark = 50;
      await aWhile();
      database.mark = 20;
      await aWhile();
      expect(epochs).toEqual([]);
      await check.close();
    });

    it('compares heads every ten seconds without a reason', async () => {
      const { check, epochs, reported, other } = await createBench();
      reported.current = [];
      await aWhile();
      other.head = 4;
      await jest.advanceTimersByTimeAsync(10_000);
      expect(epochs).toEqual(['next epoch']);
      await check.close();
    });

    // The race: the restored log grows past the lost events before the next check, so no head is lower than before.
    it('begins a new epoch when the store holds a different event at a delivered seq', async () => {
      const { check, database, epochs } = await createBench();
      const delivered = { channelId: 'c', seq: 5, id: 'event 5', epoch: 'first epoch' };
      check.reportSeqConflict(delivered as EncodedEnvelope);
      await aWhile();
      expect(epochs).toEqual([]);
      database.eventId = 'another event 5';
      check.reportSeqConflict(delivered as EncodedEnvelope);
      await aWhile();
      expect(epochs).toEqual(['next epoch']);
      await check.close();
    });
  });
});
