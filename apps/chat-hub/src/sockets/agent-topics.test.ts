import { describe, expect, it } from '@jest/globals';
import { createMemoryCache } from '@openclaw/cache';
import type { ChatStore } from '@openclaw/chat-store';
import { createMemoryEventBus } from '@openclaw/events';
import { encodeEnvelope, limits } from '@openclaw/protocol';
import { pino } from 'pino';
import { createAgentTopics } from './agent-topics.ts';
import { createDirectHeads } from '../channels/direct-heads.ts';
import { createFlusher } from '../channels/flusher.ts';
import { createRooms } from '../channels/rooms.ts';
import type { Room } from '../channels/room.ts';
import type { Session, SessionPhase } from './session.ts';
import { createSessions } from './sessions.ts';

const channelId = `dm_${'0'.repeat(32)}`;

const live: SessionPhase = {
  name: 'live',
  directs: { isComplete: false, epochGeneration: 0 },
};

async function createBench(known: Partial<Session> = {}, maxHeads = 1_000) {
  const [bus, sessions, nothing] = [createMemoryEventBus(), createSessions(), () => undefined];
  const foreign: string[] = [];
  const entered: unknown[] = [];
  const rooms = createRooms({
    store: { epoch: 'now', logPage: async () => ({ events: [], head: 0 }) } as unknown as ChatStore,
    bus,
    flusher: createFlusher(),
    log: pino({ level: 'silent' }),
    cache: createMemoryCache(),
    onEphemeral: nothing,
    onForeignEpoch: nothing,
  });
  const identity = { agentId: 'ben', channels: null };
  const session = {
    agentId: 'ben',
    identity,
    rooms: new Map(),
    phase: { name: 'welcoming', earlyDirects: new Map(), areHeadsRead: false },
    mayEnterDirect: () => true,
    enter: (room: Room, after: number) => entered.push(['enter', after, room.head]),
    discontinued: (_room: Room, reason: string) => entered.push([reason]),
    isOpen: true,
    ...known,
  } as unknown as Session;
  sessions.add(session);
  // The agent has one direct channel more than a welcome names. Every welcome leaves out `channelId`, because this
  // channel is the least recently active one.
  const directs = [{ channelId, head: 4, activeAt: 0 }];
  for (let n = 1; n <= limits.welcomeDirect; n += 1)
    directs.push({ channelId: `dm_${String(n).padStart(32, '1')}`, head: 1, activeAt: n });
  const store = {
    epoch: 'now',
    directChannels: async (_agentId: string, limit: number) => directs.slice(0, limit),
    access: async () => new Map(),
  };
  const heads = createDirectHeads(
    { store, epochGeneration: () => rooms.epochGeneration },
    maxHeads,
  );
  await heads.load('ben');
  const topics = createAgentTopics({
    bus,
    store,
    rooms,
    sessions,
    heads,
    onEphemeral: nothing,
    onForeignEpoch: () => foreign.push('foreign'),
  });
  await topics.join('ben');
  const publish = (seq: number, epoch: string) => {
    const event = { type: 'collaboration.event', channelId, name: 'n', payload: {} } as const;
    const envelope = {
      id: `${epoch}-${seq}`,
      event,
      timestamp: 1,
      senderId: 'ana',
      senderKind: null,
      channelId,
    };
    return bus.publish(encodeEnvelope({ ...envelope, seq, epoch }), { agents: ['ben'] });
  };
  return { rooms, foreign, entered, publish, topics, session };
}

describe('a direct channel that is not yet live', () => {
  // The race: an event of an earlier epoch arrives late. A room opened at the seq of this event would drop the new
  // epoch's events.
  it('is not opened by an event of another epoch, which is reported instead', async () => {
    const { rooms, foreign, publish } = await createBench();
    await publish(40, 'before');
    expect([rooms.size, foreign]).toEqual([0, ['foreign']]);
    await publish(4, 'now');
    expect(rooms.get(channelId)?.head).toBe(4);
  });

  // The race: the bus lost the channel's events between the welcome and the published event. If the channel's head at
  // the welcome is known, the session gets these events from the log, otherwise a discontinuity.
  it('starts at the head that was known at the welcome', async () => {
    const { entered, publish } = await createBench({ phase: live });
    await publish(7, 'now');
    expect(entered).toEqual([['enter', 4, 4]]);
  });

  it('starts with a discontinuity when its head did not fit into the list', async () => {
    const { entered, publish } = await createBench({ phase: live }, 0);
    await publish(7, 'now');
    expect(entered).toEqual([['enter', 6, 6], ['behind']]);
  });

  it('starts with a discontinuity when the epoch changed since the welcome', async () => {
    const { entered, publish, rooms } = await createBench({ phase: live });
    rooms.beginEpoch(new Map());
    await publish(2, 'now');
    expect(entered).toEqual([['enter', 1, 1], ['epoch']]);
  });

  it('is not opened by a head that is known already', async () => {
    const { rooms, topics } = await createBench({ phase: live });
    topics.foundDirect(channelId, ['ben'], 4);
    expect(rooms.size).toBe(0);
  });

  // The race: an event is committed, an agent connects, and then the tail check finds the event. A session must get
  // no event from before its welcome, or a bot would answer twice.
  it('is not opened by an event from before the heads of a welcome were read', async () => {
    const { topics, session } = await createBench();
    topics.foundDirect(channelId, ['ben'], 4);
    const directs = await topics.readDirects(session);
    topics.foundDirect(channelId, ['ben'], 4);
    if (!directs) throw new Error('the session is open');
    const opened = topics.openDirects(session, directs);
    expect(opened.map(({ room }) => room.channelId)).not.toContain(channelId);
  });

  it('starts before an event that came after the heads of a welcome were read', async () => {
    const { publish, topics, session } = await createBench();
    const directs = await topics.readDirects(session);
    await publish(5, 'now');
    if (!directs) throw new Error('the session is open');
    const opened = topics.openDirects(session, directs);
    expect(opened.map(({ room, head }) => [room.channelId, head])).toContainEqual([channelId, 4]);
  });
});
