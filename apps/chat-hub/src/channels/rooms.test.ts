import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ChatStore } from '@openclaw/chat-store';
import { createMemoryEventBus } from '@openclaw/events';
import { encodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import { pino } from 'pino';
import { createFlusher } from './flusher.ts';
import type { RoomMember } from './room.ts';
import { createRooms } from './rooms.ts';

const direct = `dm_${'0'.repeat(32)}`;
/** Longer than any room stays open that nobody is in. */
const longMs = 60_000;

function createBench() {
  const bus = createMemoryEventBus();
  const nothing = () => undefined;
  const database = { epoch: 'e', head: 7, events: [] as EncodedEnvelope[] };
  /** Takes the place of the next answers; what it read before it waits, it answers. */
  const reads: (() => Promise<void>)[] = [];
  const conflicts: EncodedEnvelope[] = [];
  const rooms = createRooms({
    store: {
      get epoch() {
        return database.epoch;
      },
      async logPage(_channelId: string, after: number, limit: number) {
        const events = database.events.filter(({ seq }) => (seq ?? 0) > after).slice(0, limit);
        const page = { ...database, events };
        await reads.shift()?.();
        return page;
      },
    } as unknown as ChatStore,
    ...{ bus, flusher: createFlusher(), log: pino({ level: 'silent' }) },
    ...{ onOpened: nothing, onDelivered: nothing, onEphemeral: nothing, onForeignEpoch: nothing },
    onConflict: (delivered) => conflicts.push(delivered),
  });
  return { bus, rooms, database, reads, conflicts };
}

function eventOf(id: string, seq: number): EncodedEnvelope {
  const event = { type: 'collaboration.event', channelId: 'a', name: 'n', payload: {} } as const;
  return encodeEnvelope({
    ...{
      id,
      event,
      timestamp: 1,
      senderId: 'ana',
      senderKind: null,
      channelId: 'a',
      seq,
      epoch: 'e',
    },
  });
}

const member = { agentId: 'ana' } as RoomMember;

describe('the live channels of a hub', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  // The race: a client asks for a channel and is gone before its answer, so that nobody ever enters the room. Invariant:
  // a room without sockets closes by itself, and its topic with it.
  it('close by themselves when they were opened and never entered', async () => {
    const { bus, rooms } = createBench();
    await Promise.all(['a', 'b'].map((channelId) => rooms.open(channelId)));
    rooms.openDirect(direct, 3);
    expect([rooms.size, bus.stats.topics]).toEqual([3, 2]);
    await jest.advanceTimersByTimeAsync(longMs);
    expect([rooms.size, bus.stats.topics]).toEqual([0, 0]);
  });

  it('stay open while a socket is in them, and a while after', async () => {
    const { rooms } = createBench();
    const room = await rooms.open('a');
    room.members.add(member);
    await jest.advanceTimersByTimeAsync(longMs);
    expect(rooms.get('a')).toBe(room);
    room.members.delete(member);
    rooms.left(room);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(rooms.get('a')).toBe(room);
    await jest.advanceTimersByTimeAsync(longMs);
    expect(rooms.size).toBe(0);
  });

  // The race: a channel is asked for just before its room would close. Invariant: who asked has time to enter it.
  it('stay open a while longer when they are asked for', async () => {
    const { rooms } = createBench();
    const room = await rooms.open('a');
    for (let asked = 0; asked < 10; asked++) {
      await jest.advanceTimersByTimeAsync(20_000);
      expect(await rooms.open('a')).toBe(room);
    }
  });

  it('are opened once, however many ask at the same time', async () => {
    const { bus, rooms } = createBench();
    const opened = await Promise.all([rooms.open('a'), rooms.open('a'), rooms.open('a')]);
    expect(new Set(opened).size).toBe(1);
    expect([rooms.size, bus.stats.topics]).toEqual([1, 1]);
  });

  // The race: a backup is restored, and the hub hears of it, between reading a room's head and opening the room. Invariant:
  // a room stands where its log stands; with the head of the life before it would drop all that comes, until the log has
  // grown past it.
  it.each(['a', direct])('begin at the head of the life that is: %s', async (channelId) => {
    const { rooms, database, reads } = createBench();
    reads.push(async () => {
      Object.assign(database, { epoch: 'next', head: 3 });
      rooms.restart(new Map());
    });
    expect((await rooms.open(channelId)).head).toBe(3);
    // The negative control: a head that changes without another life is not read again.
    const other = createBench();
    other.reads.push(async () => void (other.database.head = 3));
    expect((await other.rooms.open(channelId)).head).toBe(7);
  });

  // A hub has thousands of rooms. Invariant: a room that is used is in the present epoch, though others wait their turn.
  it('continue in a new epoch a few a turn, and at once when they are used', async () => {
    const { rooms } = createBench();
    const opened = Array.from({ length: 400 }, (_, n) =>
      rooms.openDirect(`dm_${String(n).padStart(32, '0')}`, 7),
    );
    const restarted = () => opened.filter(({ head }) => head === 3).length;
    rooms.restart(new Map(opened.map(({ channelId }) => [channelId, 3])));
    expect(restarted()).toBeLessThanOrEqual(100);
    expect(rooms.get(opened[399]?.channelId ?? '')?.head).toBe(3);
    const turns: number[] = [];
    for (let turn = 1; restarted() < 400 && turn <= 100; turn++) {
      const before = restarted();
      jest.advanceTimersToNextTimer();
      turns.push(restarted() - before);
    }
    expect(restarted()).toBe(400);
    expect(Math.max(...turns)).toBeLessThanOrEqual(100);
  });

  it('are refused for now when the database begins one life after another', async () => {
    const { bus, rooms, reads } = createBench();
    for (let i = 0; i < 10; i++) reads.push(async () => rooms.restart(new Map()));
    await expect(rooms.open('a')).rejects.toMatchObject({ code: 'unavailable' });
    expect([rooms.size, bus.stats.topics]).toEqual([0, 0]);
  });

  // The race: a backup is restored while all hubs are connected, and its channel has grown past what was lost before
  // anybody looks. Then no head is behind. Invariant: one seq names one event; two of them are noticed.
  it('notice another event with the seq of one that was delivered', async () => {
    const { bus, rooms, conflicts } = createBench();
    const room = await rooms.open('a');
    const publish = (id: string, seq: number) => bus.publish(eventOf(id, seq), { channel: true });
    await publish('first', 8);
    await publish('second', 9);
    await publish('second', 9);
    await publish('first', 8);
    await publish('unknown', 3);
    expect([room.head, conflicts]).toEqual([9, []]);
    await publish('another', 8);
    expect(conflicts.map(({ id, seq }) => [id, seq])).toEqual([['first', 8]]);
  });

  // The race: the copy that took the place of the database was written to before any hub looked, so that its log goes on
  // where the hub's ends. Invariant: what follows an event is delivered after that event, not after another.
  it('deliver nothing from a log that holds another event where they stand', async () => {
    const { bus, rooms, database, conflicts } = createBench();
    const room = await rooms.open('a');
    await bus.publish(eventOf('first', 8), { channel: true });
    database.events = [eventOf('first', 8), eventOf('second', 9)];
    room.raise(9);
    await jest.advanceTimersByTimeAsync(0);
    // The negative control: where the same event stands the next is delivered.
    expect([room.head, conflicts.length]).toEqual([9, 0]);
    database.events = [eventOf('another', 9), eventOf('third', 10)];
    room.raise(10);
    await jest.advanceTimersByTimeAsync(0);
    expect([room.head, conflicts.map(({ id }) => id)]).toEqual([9, ['second']]);
  });
});
