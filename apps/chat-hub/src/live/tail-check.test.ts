import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ChatStore } from '@openclaw/chat-store';
import { pino } from 'pino';
import { createMetrics } from '../metrics.ts';
import type { Rooms } from './rooms.ts';
import { startTailCheck } from './tail-check.ts';

/** A database with one channel `c`, and a hub that has delivered it up to 5. */
async function createBench() {
  const database = { epoch: 'first life', head: 5, isAway: false };
  /** How often telling of another life will fail. */
  const failures = { left: 0 };
  const lives: string[] = [];
  const raised: number[] = [];
  const changes = async () => {
    if (database.isAway) throw new Error('the database is away');
    const { epoch, head } = database;
    return { mark: 1, epoch, heads: [{ channelId: 'c', head }], revoked: [] };
  };
  const room = { head: 5, raise: (head: number) => raised.push(head) };
  const check = await startTailCheck({
    store: {
      changes,
      access: async () => new Map([['c', { head: database.head }]]),
      async changeEpoch(expected: string) {
        if (expected === database.epoch) database.epoch = 'next life';
        return database.epoch;
      },
    } as unknown as ChatStore,
    rooms: {
      get: () => room,
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
  return { check, database, failures, lives, raised };
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
});
