import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createMemoryCache } from '@openclaw/cache';
import type { ChatStore } from '@openclaw/chat-store';
import { createMemoryEventBus } from '@openclaw/events';
import { encodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import { pino } from 'pino';
import { createFlusher } from './flusher.ts';
import type { Room, RoomMember } from './room.ts';
import { createRooms } from './rooms.ts';

const direct = `dm_${'0'.repeat(32)}`;
const longMs = 60_000;

function createBench() {
  const bus = createMemoryEventBus();
  const nothing = () => undefined;
  const database = { epoch: 'e', head: 7, floor: 1, events: [] as EncodedEnvelope[] };
  const members = new Set(['ana']);
  /** Each read takes its rows, then calls the next of these functions, and then returns the rows. */
  const reads: (() => Promise<void>)[] = [];
  const accessReads: (() => void)[] = [];
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
      async access(agentId: string) {
        const access = new Map([['a', { role: members.has(agentId) ? 'member' : null }]]);
        accessReads.shift()?.();
        return access;
      },
    } as unknown as ChatStore,
    bus,
    flusher: createFlusher(),
    log: pino({ level: 'silent' }),
    cache: createMemoryCache(),
    onEphemeral: nothing,
    onForeignEpoch: nothing,
    onSeqConflict: (delivered) => conflicts.push(delivered),
  });
  return { bus, rooms, database, reads, accessReads, conflicts, members };
}

function eventOf(id: string, seq: number): EncodedEnvelope {
  const event = { type: 'collaboration.event', channelId: 'a', name: 'n', payload: {} } as const;
  return encodeEnvelope({
    id,
    event,
    timestamp: 1,
    senderId: 'ana',
    senderKind: null,
    channelId: 'a',
    seq,
    epoch: 'e',
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

  // The race: a client subscribes and disconnects before its answer, so no session ever enters the room.
  it('close by themselves when they were opened and never entered', async () => {
    const { bus, rooms } = createBench();
    await Promise.all(['a', 'b'].map((channelId) => rooms.open(channelId)));
    rooms.openDirect(direct, 3);
    expect([rooms.size, bus.stats.topics]).toEqual([3, 2]);
    await jest.advanceTimersByTimeAsync(longMs);
    expect([rooms.size, bus.stats.topics]).toEqual([0, 0]);
  });

  it('stay open while a session is in them, and a while after', async () => {
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

  // The race: an empty room is opened again just before it would close. Invariant: the caller has time to enter.
  it('stay open a while longer when they are opened again', async () => {
    const { rooms } = createBench();
    const room = await rooms.open('a');
    for (let asked = 0; asked < 10; asked++) {
      await jest.advanceTimersByTimeAsync(20_000);
      expect(await rooms.open('a')).toBe(room);
    }
  });

  // The race: events that the bus lost are trimmed before this hub reads them, and one of them removed ben. An admin
  // stays, because admins need no membership.
  it('continue from the floor when events were trimmed before they were delivered', async () => {
    const { rooms, database } = createBench();
    const room = await rooms.open('a');
    const calls: unknown[][] = [];
    const session = (agentId: string, isObserver = false) =>
      ({
        ...{ agentId, isObserver, acceptsBatches: true, isLive: () => true },
        enqueue: (frame: Buffer) => calls.push([agentId, /"seq":(\d+)/.exec(String(frame))?.[1]]),
        discontinued: ({ head, floor }: Room, reason: string) =>
          calls.push([agentId, reason, head, floor]),
        ended(this: RoomMember, room: Room, reason: string) {
          room.members.delete(this);
          calls.push([agentId, 'ended', reason]);
        },
      }) as unknown as RoomMember;
    for (const one of [session('ana'), session('ben'), session('eva', true)]) room.members.add(one);
    Object.assign(database, {
      head: 12,
      floor: 11,
      events: [eventOf('e11', 11), eventOf('e12', 12)],
    });
    room.raise(12);
    expect(
      await Promise.race([room.whenReached(12, 5_000), jest.advanceTimersByTimeAsync(5_000)]),
    ).toBe(true);
    room.flush();
    expect(calls.slice(0, 4)).toEqual([
      ...[
        ['ana', 'trimmed', 10, 11],
        ['ben', 'trimmed', 10, 11],
        ['eva', 'trimmed', 10, 11],
      ],
      ['ben', 'ended', 'trimmed'],
    ]);
    expect(calls.slice(4).map(([agentId]) => agentId)).not.toContain('ben');
    expect(calls.slice(4).map(([agentId]) => agentId)).toEqual(
      expect.arrayContaining(['ana', 'eva']),
    );
    expect(room.after(9)).toBeNull();
    expect(room.after(10)?.map(({ seq }) => seq)).toEqual([11, 12]);
  });

  // The race: ben is removed, the removal is trimmed, and ben enters with his earlier rights while the room reads
  // rights. Invariant: a removed member gets no event after its removal.
  it('check the rights of agents that enter while events are found to be trimmed', async () => {
    const { rooms, database, accessReads } = createBench();
    const room = await rooms.open('a');
    const removed: string[] = [];
    const session = (agentId: string) =>
      ({
        ...{ agentId, isObserver: false, acceptsBatches: true, isLive: () => true },
        ...{ enqueue: () => undefined, discontinued: () => undefined },
        ended(this: RoomMember, room: Room) {
          room.members.delete(this);
          removed.push(agentId);
        },
      }) as unknown as RoomMember;
    room.members.add(session('ana'));
    accessReads.push(() => room.members.add(session('ben')));
    Object.assign(database, { head: 11, floor: 11, events: [eventOf('e11', 11)] });
    room.raise(11);
    const reached = room.whenReached(11, 5_000);
    expect(await Promise.race([reached, jest.advanceTimersByTimeAsync(5_000)])).toBe(true);
    expect(removed).toEqual(['ben']);
    expect([...room.members].map(({ agentId }) => agentId)).toEqual(['ana']);
  });

  // The race: a page is read, a backup with a shorter log is restored, and then the page arrives. With that page's
  // floor, the room would skip events of the new epoch.
  it.each(['log', 'rights'] as const)(
    'forget a floor when the epoch changes during a read of the %s',
    async (read) => {
      const { rooms, database, reads, accessReads } = createBench();
      const room = await rooms.open('a');
      room.members.add({ ...member, isLive: () => false, discontinued: () => undefined });
      Object.assign(room.members.values().next().value ?? {}, { backlogFrom: () => undefined });
      const restore = () => {
        Object.assign(database, { epoch: 'f', head: 3, floor: 1, events: [] });
        rooms.beginEpoch(new Map([['a', 3]]));
      };
      Object.assign(database, { head: 20, floor: 15, events: [] });
      if (read === 'log') reads.push(async () => restore());
      else accessReads.push(restore);
      room.raise(20);
      await jest.advanceTimersByTimeAsync(5_000);
      expect(database.epoch).toBe('f');
      expect([room.head, room.floor]).toEqual([3, 1]);
    },
  );

  it('are opened once for concurrent callers', async () => {
    const { bus, rooms } = createBench();
    const opened = await Promise.all([rooms.open('a'), rooms.open('a'), rooms.open('a')]);
    expect(new Set(opened).size).toBe(1);
    expect([rooms.size, bus.stats.topics]).toEqual([1, 1]);
  });

  // The race: the epoch changes between the read of a head and the opening of its room. Invariant: the room's head
  // belongs to the current epoch. With a head of the earlier epoch, the room would drop new events.
  it.each(['a', direct])('start at the head of the current epoch: %s', async (channelId) => {
    const { rooms, database, reads } = createBench();
    reads.push(async () => {
      Object.assign(database, { epoch: 'next', head: 3 });
      rooms.beginEpoch(new Map());
    });
    expect((await rooms.open(channelId)).head).toBe(3);
    const other = createBench();
    other.reads.push(async () => void (other.database.head = 3));
    expect((await other.rooms.open(channelId)).head).toBe(7);
  });

  // Invariant: a room moves to the current epoch before it is used, even while thousands of rooms still have to move.
  it('change their epoch a few per turn, and at once when they are used', async () => {
    const { rooms } = createBench();
    const opened = Array.from({ length: 400 }, (_, n) =>
      rooms.openDirect(`dm_${String(n).padStart(32, '0')}`, 7),
    );
    const restarted = () => opened.filter(({ head }) => head === 3).length;
    rooms.beginEpoch(new Map(opened.map(({ channelId }) => [channelId, 3])));
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

  it('are unavailable while the epoch keeps changing', async () => {
    const { bus, rooms, reads } = createBench();
    for (let i = 0; i < 10; i++) reads.push(async () => rooms.beginEpoch(new Map()));
    await expect(rooms.open('a')).rejects.toMatchObject({ code: 'unavailable' });
    expect([rooms.size, bus.stats.topics]).toEqual([0, 0]);
  });

  // The race: after a restore, the channel grows past the lost events before any hub checks. Its head is then not lower
  // than before.
  it('report a different event with the seq of a delivered one', async () => {
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

  // The race: a restored database gets new events before any hub checks, so its log seems to continue the known log.
  it('deliver nothing from a log that has a different event at their head', async () => {
    const { bus, rooms, database, conflicts } = createBench();
    const room = await rooms.open('a');
    await bus.publish(eventOf('first', 8), { channel: true });
    database.events = [eventOf('first', 8), eventOf('second', 9)];
    room.raise(9);
    await jest.advanceTimersByTimeAsync(0);
    expect([room.head, conflicts.length]).toEqual([9, 0]);
    database.events = [eventOf('another', 9), eventOf('third', 10)];
    room.raise(10);
    await jest.advanceTimersByTimeAsync(0);
    expect([room.head, conflicts.map(({ id }) => id)]).toEqual([9, ['second']]);
  });
});
