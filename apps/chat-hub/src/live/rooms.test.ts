import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ChatStore } from '@openclaw/chat-store';
import { createMemoryEventBus } from '@openclaw/events';
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
  const rooms = createRooms({
    store: {
      epoch: 'e',
      logPage: async () => ({ events: [], head: 7 }),
    } as unknown as ChatStore,
    ...{ bus, flusher: createFlusher(), log: pino({ level: 'silent' }) },
    ...{ onOpened: nothing, onDelivered: nothing, onEphemeral: nothing, onForeignEpoch: nothing },
  });
  return { bus, rooms };
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
});
