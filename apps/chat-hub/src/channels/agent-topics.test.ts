import { describe, expect, it } from '@jest/globals';
import type { ChatStore } from '@openclaw/chat-store';
import { createMemoryEventBus } from '@openclaw/events';
import { encodeEnvelope } from '@openclaw/protocol';
import { pino } from 'pino';
import { createAgentTopics } from './agent-topics.ts';
import { createDirectHeads } from './direct-heads.ts';
import { createFlusher } from './flusher.ts';
import { createRooms } from './rooms.ts';
import type { Room } from './room.ts';
import type { Session } from '../sockets/session.ts';
import { createSessions } from '../sockets/sessions.ts';

const channelId = `dm_${'0'.repeat(32)}`;

async function createBench(known: Partial<Session> = {}, maxHeads = 10) {
  const [bus, sessions, nothing] = [createMemoryEventBus(), createSessions(), () => undefined];
  const foreign: string[] = [];
  const told: unknown[] = [];
  const rooms = createRooms({
    store: { epoch: 'now', logPage: async () => ({ events: [], head: 0 }) } as unknown as ChatStore,
    ...{ bus, flusher: createFlusher(), log: pino({ level: 'silent' }) },
    ...{ onOpened: nothing, onDelivered: nothing, onEphemeral: nothing, onForeignEpoch: nothing },
  });
  const identity = { agentId: 'ben', channels: null };
  sessions.add({
    ...{ agentId: 'ben', identity, rooms: new Map(), mutedDirects: new Set() },
    ...{ earlyDirects: new Map(), knowsAllDirects: false, isWelcomed: false, welcomedRestarts: 0 },
    enter: (room: Room, after: number) => told.push(['enter', after, room.head]),
    discontinued: (_room: Room, reason: string) => told.push([reason]),
    ...known,
  } as unknown as Session);
  const store = { directChannels: async () => [{ channelId, head: 4 }] };
  const heads = createDirectHeads({ store, restarts: () => rooms.restarts }, maxHeads);
  await heads.load('ben');
  const topics = createAgentTopics({
    ...{ bus, rooms, sessions, heads, onEphemeral: nothing, epoch: () => 'now' },
    onForeignEpoch: () => foreign.push('told'),
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
  return { rooms, foreign, told, publish, topics };
}

describe('a direct channel that is not yet live', () => {
  // The race: an event of the life before arrives when another has begun. Invariant: a channel stands where the log of
  // this life stands; opened at that event's seq it would drop what comes, until the log has grown past it.
  it('is not opened by an event of another life, but asked for', async () => {
    const { rooms, foreign, publish } = await createBench();
    await publish(40, 'before');
    expect([rooms.size, foreign]).toEqual([0, ['told']]);
    await publish(4, 'now');
    expect(rooms.get(channelId)?.head).toBe(4);
  });

  // The race: what came before the event was lost on the way. Invariant: what is not known to have been delivered is told
  // as a discontinuity, never skipped in silence.
  it('begins at the head that was known at the welcome', async () => {
    const { told, publish } = await createBench({ isWelcomed: true });
    await publish(7, 'now');
    expect(told).toEqual([['enter', 4, 4]]);
  });

  it('begins behind a discontinuity when there are too many heads to know this one', async () => {
    const { told, publish } = await createBench({ isWelcomed: true }, 0);
    await publish(7, 'now');
    expect(told).toEqual([['enter', 6, 6], ['behind']]);
  });

  it('begins behind a discontinuity when the epoch changed since the welcome', async () => {
    const { told, publish, rooms } = await createBench({ isWelcomed: true });
    rooms.restart(new Map());
    await publish(2, 'now');
    expect(told).toEqual([['enter', 1, 1], ['epoch']]);
  });

  it('is not opened by a head that was known already', async () => {
    const { rooms, topics } = await createBench({ isWelcomed: true });
    topics.foundDirect(channelId, ['ben'], 4);
    expect(rooms.size).toBe(0);
  });
});
